"""Escaping of text for GitHub Markdown.

The author of a pull request chooses the names in a plan. Addresses are put in code spans, which GitHub does not
interpret. In other text, every character with a meaning in Markdown, HTML or GitHub mentions is escaped.
"""

import re

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.review.formats.wording import shorten

_MAX_LENGTH = 500
#: Characters with a meaning in Markdown or HTML, anywhere or at the start of a line; then texts that GitHub turns into
#: links (mentions, issues, addresses) or emoji (parts of ARNs between colons).
_SPECIAL = LazyPattern(
    r"(?P<escape>[&<>\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+=-](?!\d)|^\d(?=\d*[.)]\s))"
    r"|@(?=\w)|\#(?=\d)|:(?=//|(?:secret|package|link|label|key|id|new|on):)|\b(?i:www)(?=\.)|\b(?i:GH-)(?=\d)"
)


def escape_text(text: str) -> str:
    """Return `text` without any active Markdown, HTML, link or mention."""
    return _SPECIAL.sub(_escape_match, shorten(text, _MAX_LENGTH))


def _escape_match(match: re.Match[str]) -> str:
    """Return the character as an HTML entity, or with a zero-width space that breaks a link."""
    return f"&#{ord(match[0])};" if match["escape"] else f"{match[0]}&#8203;"


def format_fix(text: str) -> str:
    """Return the remedy of a rule or risk, in which only `code` is markup."""
    parts = text.split("`")
    return "".join(format_code(part) if position % 2 else escape_text(part) for position, part in enumerate(parts))


def format_code(text: str, *, table: bool = False) -> str:
    """Return `text` as a code span. In tables, a broken bar replaces each bar, which would end the cell."""
    line = shorten(text, _MAX_LENGTH)
    if table:
        line = line.replace("|", "¦")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line.strip() else "` `"
