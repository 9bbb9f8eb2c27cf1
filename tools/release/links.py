"""Conversion of the links of a mirrored page.

A link leads to a file of the mirror, or else to this repository's web pages.
"""

import posixpath
import re
from collections.abc import Mapping

_LINK = re.compile(r"(?P<start>\]\()(?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?(?P<end>(?: \"[^\"]*\")?\))")


def relocate_links(text: str, source: str, target: str, moved: Mapping[str, str], web: str) -> str:
    """Return the text of page `source`, whose new path is `target`, with working links.

    `moved` has the new path of each file that leaves the repository too. `web` is the address of the other files.
    """

    def relocate(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["target"]))
        is_mirrored = path in moved
        new = posixpath.relpath(moved[path], posixpath.dirname(target) or ".") if is_mirrored else f"{web}/{path}"
        return f"{match['start']}{new}{match['anchor'] or ''}{match['end']}"

    return _LINK.sub(relocate, text)
