"""The cases: changes in HCL, with the expected verdict of each change and of its reverse.

A file `cases/<cause>.md` or `cases/<cause>/<subject>.md` has one section for each case, and so has a file below
`cases/second_set`, which was written before the first review of any of it. The title of a section is the name of the
case. The next line is the least expected verdict and a list of words; the findings must contain one of them. A line
`reverse:` is the reason why the reverse change needs a look, too. Without it, the reverse change must be fine. The
block is a diff of HCL.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "cases"
#: The folder of the cases that were written without knowledge of the reviewer.
SECOND_SET = "second_set"
#: The subjects of changes that need a look.
CAUSES = (
    "protective_attributes",
    "removed_safeguards",
    "copies_and_retention",
    "trust_and_destinations",
    "instance_commands",
    "cost",
)
EVERYDAY = "everyday"
#: The own account and Region of the cases.
ACCOUNT = "111111111111"
REGION = "eu-north-1"
#: The verdict of a change that costs too little for a look, but that a report must list.
LISTED = "listed"
_SECTION = re.compile(
    r"^## (?P<name>\w+)\n"
    r"(?:(?P<verdict>look|stop|listed): (?P<words>[^\n]+)\n)?"
    r"(?:reverse: (?P<reverse>[^\n]+)\n)?"
    r"```diff\n(?P<diff>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_BLOCK = re.compile(r'^(?P<kind>resource|data) "(?P<type>\w+)" "(?P<name>\w+)"', re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One change of a few resources."""

    cause: str
    name: str
    diff: str
    verdict: str = "fine"
    #: The findings contain one of them.
    words: tuple[str, ...] = ()
    #: The reason why the reverse change is not fine; empty if it must be fine.
    reverse: str = ""
    is_second: bool = False

    def __str__(self) -> str:
        return f"{f'{SECOND_SET}-' if self.is_second else ''}{self.cause}-{self.name}"

    @cached_property
    def before(self) -> str:
        """The configuration before the change."""
        return "".join(line[1:] for line in self.diff.splitlines(keepends=True) if line[0] in " -")

    @cached_property
    def after(self) -> str:
        """The configuration after the change."""
        return "".join(line[1:] for line in self.diff.splitlines(keepends=True) if line[0] in " +")


def list_cases() -> list[Case]:
    """Return every case that the provider plans, by cause and file."""
    return [case for file in sorted(FOLDER.rglob("*.md")) for case in read_cases(file)]


def read_cases(file: Path) -> list[Case]:
    """Return the cases of one file. Raises ValueError if a section does not have this form."""
    parts, text = file.relative_to(FOLDER).with_suffix("").parts, file.read_text()
    is_second = parts[0] == SECOND_SET
    sections = list(_SECTION.finditer(text))
    if len(sections) != text.count("\n## "):
        raise ValueError(f"{file.name}: {text.count(chr(10) + '## ')} sections, of which {len(sections)} can be read")
    return [
        Case(
            parts[is_second],
            section["name"],
            section["diff"],
            section["verdict"] or "fine",
            tuple(re.split(r",\s*", section["words"] or "")),
            section["reverse"] or "",
            is_second,
        )
        for section in sections
    ]


def add_prefix(configuration: str, prefix: str) -> str:
    """Return HCL whose resources and data sources have this prefix in their names and references."""
    blocks = {(block["type"], block["name"]) for block in _BLOCK.finditer(configuration)}
    configuration = _BLOCK.sub(rf'\g<kind> "\g<type>" "{prefix}\g<name>"', configuration)
    for type_, name in blocks:
        configuration = re.sub(rf"\b{type_}\.{name}\b", f"{type_}.{prefix}{name}", configuration)
    return configuration
