"""Text in GitHub's Markdown, in which names stay names.

Names in a plan are written by whoever opens the pull request: addresses stand in code spans, where nothing is
interpreted; other text has every character escaped that Markdown, HTML or GitHub's mentions could take as theirs.
"""

import re

from sustainable_mlops.review.formats.wording import shorten

_LONGEST = 500
#: What Markdown or HTML would take as theirs, anywhere or at the start of a line; then what GitHub makes links of
#: (mentions, issues, addresses), or pictures (what stands in ARNs as the names of emoji do).
_SPECIAL = re.compile(
    r"(?P<escape>[&<>\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+=-](?!\d)|^\d(?=\d*[.)]\s))"
    r"|@(?=\w)|\#(?=\d)|:(?=//|(?:secret|package|link|label|key|id|new|on):)|\b(?i:www)(?=\.)|\b(?i:GH-)(?=\d)"
)


def escape_text(text: str) -> str:
    """`text` as text: nothing in it is Markdown, HTML, a link or a mention."""
    return _SPECIAL.sub(_harmless, shorten(text, _LONGEST))


def _harmless(found: re.Match[str]) -> str:
    """An entity, which is the character and nothing else; or with a space of no width after it, which breaks a link."""
    return f"&#{ord(found[0])};" if found["escape"] else f"{found[0]}&#8203;"


def format_fix(text: str) -> str:
    """A rule's or risk's own text, in which only `code` is marked."""
    parts = text.split("`")
    return "".join(format_code(part) if position % 2 else escape_text(part) for position, part in enumerate(parts))


def format_code(text: str, *, table: bool = False) -> str:
    """`text` as code. In tables a bar would end the cell even inside code, so a broken bar stands for it."""
    line = shorten(text, _LONGEST)
    if table:
        line = line.replace("|", "¦")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line.strip() else "` `"
