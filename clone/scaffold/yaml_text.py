"""Editor of YAML text: it changes values in place and keeps the rest of the text."""

import re
from typing import Any

import yaml

from sustainable_mlops.base.errors import UserError


class YamlText:
    """YAML mapping in block style. `source` names it in messages. Methods raise UserError if an edit is impossible."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source
        self._root: Any = yaml.compose(text, yaml.SafeLoader)
        self._edits: dict[tuple[int, int], str] = {}
        self._code_ends: dict[int, int] = {}
        for token in yaml.scan(text, yaml.SafeLoader):
            if token.start_mark.index < token.end_mark.index:
                self._code_ends[token.end_mark.line] = token.end_mark.index

    def __str__(self) -> str:
        text = self._text
        for (start, end), new in sorted(self._edits.items(), reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def has(self, *path: str) -> bool:
        """Return whether `path` has a value."""
        return self._find_pair(path) is not None

    def replace(self, *path: str, by: str) -> None:
        """Replace the scalar at `path`. The comment on its line is removed, because it describes the old value."""
        _, value = self._require_scalar(path)
        start, end = value.start_mark.index, value.end_mark.index
        anchor = re.match(r"(?:[&!]\S*\s+)*", self._text[start:end])
        style = value.style if value.style in ("'", '"') else None
        dumped = yaml.safe_dump([by], default_style=style and str(style), default_flow_style=True, width=float("inf"))
        self._edits[start + (anchor.end() if anchor else 0), end] = dumped.strip()[1:-1]
        code_end = self._code_ends[value.end_mark.line]
        line_end = self._find_line_end(code_end)
        if self._text[code_end:line_end].lstrip().startswith("#"):
            self._edits[code_end, line_end] = ""

    def drop(self, *path: str) -> None:
        """Remove a scalar, a list or a flow mapping, and each mapping that would be empty without it."""
        pair = self._find_pair(path)
        if pair is None or (isinstance(pair[1], yaml.MappingNode) and not pair[1].flow_style):
            raise self._make_refusal(path)
        key, value = pair
        while len(path) > 1 and (parent := self._find_pair(path[:-1])) is not None and len(parent[1].value) == 1:
            path, key = path[:-1], parent[0]
        start = self._text.rfind("\n", 0, key.start_mark.index) + 1
        if self._text[start : key.start_mark.index].strip():
            raise self._make_refusal(path)
        # The mark of a block list is at the next key, behind comments.
        end = max(code_end for code_end in self._code_ends.values() if code_end <= value.end_mark.index)
        self._edits[start, self._find_line_end(end, past=True)] = ""

    def insert_after(self, *path: str, line: str) -> None:
        """Insert a line below the one of `path`, with the same indentation."""
        key, value = self._require_scalar(path)
        end = self._find_line_end(value.end_mark.index)
        break_ = "\r\n" if self._text.startswith("\r\n", end) else "\n"
        self._edits[end, end] = f"{break_}{' ' * key.start_mark.column}{line}"

    def replace_head(self, text: str) -> None:
        """Replace everything before the first key by `text`."""
        self._edits[0, self._root.start_mark.index] = text

    def _find_line_end(self, index: int, *, past: bool = False) -> int:
        match = re.compile(r"[^\r\n]*(\r?\n)?").match(self._text, index)
        assert match is not None
        return match.end() if past else match.end() - len(match[1] or "")

    def _find_pair(self, path: tuple[str, ...]) -> tuple[Any, Any] | None:
        node, pair = self._root, None
        for name in path:
            pairs = node.value if isinstance(node, yaml.MappingNode) and not node.flow_style else []
            pair = next(((key, value) for key, value in pairs if key.value == name), None)
            if pair is None:
                return None
            node = pair[1]
        return pair

    def _require_scalar(self, path: tuple[str, ...]) -> tuple[Any, Any]:
        pair = self._find_pair(path)
        if pair is None or not isinstance(pair[1], yaml.ScalarNode):
            raise self._make_refusal(path)
        return pair

    def _make_refusal(self, path: tuple[str, ...]) -> UserError:
        return UserError(
            f"{self._source}: {'.'.join(path)}: write it on its own line, so that the command can change it"
        )
