#!/usr/bin/env python3
"""Counts that show how plain the language of this project is: docstrings, names, class names, sentences and lines.

The script reports and never fails. Name folders to count only those, and `--list` to see each occurrence:

    tools/count_language.py
    tools/count_language.py sustainable_mlops/review tests/review --list
"""

import argparse
import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "sustainable_mlops", "clone", "sagemaker_sandbox", "modules", "envs", "policies", "scripts", "tools", "workloads",
    "tests",
)  # fmt: skip
PAGES = ("README.md", "CONTRIBUTING.md", "docs", "modules", "workloads", "sagemaker_sandbox")
#: First words that hide the subject of a docstring.
QUESTION_WORDS = frozenset({"What", "Whether", "How", "Where", "Who", "Whoever", "Whom"})
#: Participles, pronouns and adverbs that name nothing. An identifier counts if it equals one of them.
RIDDLES = re.compile(
    r"told|asked|said|found|made|kept|given|wired|started|needed|loosened|judged|meant|wanted|taken|shown|called|gone|done|"
    r"those|ones|what|so|again|beside|unseen|listed|seen|sent|heard|named|got|dealt|brought|begun|written|parsed|typed"
)
SENTENCE = re.compile(r"[A-Za-z`\"(\[].*?[.!?](?=\s|$)", re.S)


class Occurrence(NamedTuple):
    """A line of a file and the text that was counted there."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}: {self.text}"


def hides_subject(text: str) -> bool:
    """Return whether the first word of a docstring is a question word."""
    return re.split(r"\W", text, maxsplit=1)[0] in QUESTION_WORDS


def list_python_files(folders: list[Path]) -> list[Path]:
    """Return the Python files under the folders, sorted."""
    paths = (path for folder in folders for path in ([folder] if folder.is_file() else folder.rglob("*.py")))
    return sorted(path for path in paths if path.suffix == ".py" and "__pycache__" not in path.parts)


def list_docstrings(file: Path, tree: ast.Module) -> Iterator[Occurrence]:
    """Yield the first lines of the docstrings of a module, its classes and its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield Occurrence(file, node.body[0].lineno, text.splitlines()[0])


def list_identifiers(file: Path, tree: ast.Module) -> Iterator[Occurrence]:
    """Yield each name that the module defines: functions, classes, parameters, variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield Occurrence(file, node.lineno, name)
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield Occurrence(file, node.lineno, name)


def list_sentence_lengths(text: str) -> list[int]:
    """Return the number of words of each sentence of a Markdown text, without code, tables and headings."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text)
    prose = (" ".join(block.split()) for block in blocks if not block.lstrip().startswith(("#", "|", "<", "!")))
    return [
        len(words)
        for block in prose
        for sentence in SENTENCE.findall(block)
        if len(words := re.sub(r"\]\([^)]*\)", "]", sentence).split()) > 2
    ]


def print_counts(folders: list[Path], show_list: bool) -> None:
    """Print every count for the folders."""
    docstrings: list[Occurrence] = []
    riddles: list[Occurrence] = []
    classes: dict[str, list[Occurrence]] = defaultdict(list)
    for file in list_python_files(folders):
        tree = ast.parse(file.read_text())
        docstrings += list_docstrings(file, tree)
        riddles += (name for name in list_identifiers(file, tree) if RIDDLES.fullmatch(name.text.strip("_")))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(Occurrence(file, node.lineno, node.name))
    questions = [docstring for docstring in docstrings if hides_subject(docstring.text)]
    repeated = {name: occurrences for name, occurrences in classes.items() if len(occurrences) > 1}
    print(f"docstrings: {len(docstrings)}, of which {len(questions)} begin with a question word")
    print(f"identifiers that are riddles: {len(riddles)} definitions of {len({one.text for one in riddles})} names")
    print(f"class names with more than one class: {len(repeated)}")
    if show_list:
        for occurrence in [*questions, *riddles, *(one for occurrences in repeated.values() for one in occurrences)]:
            print(f"  {occurrence}")


def print_pages() -> None:
    """Print the average words a sentence of the pages."""
    for name in PAGES:
        path = ROOT / name
        pages = [path] if path.is_file() else sorted(path.rglob("*.md"))
        lengths = [length for page in pages for length in list_sentence_lengths(page.read_text())]
        if lengths:
            print(f"{name}: {len(lengths)} sentences, {sum(lengths) / len(lengths):.1f} words a sentence on average")


def print_lines() -> None:
    """Print the lines of Python of each top-level package."""
    lines = Counter(
        {
            package: sum(len(file.read_text().splitlines()) for file in list_python_files([ROOT / package]))
            for package in PACKAGES
        }
    )
    print("lines of Python: " + ", ".join(f"{package} {count:,}" for package, count in lines.most_common() if count))


def main() -> None:
    """Count the folders of the command line, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="folders or files to count")
    parser.add_argument("--list", action="store_true", help="print each occurrence")
    arguments = parser.parse_args()
    print_counts(
        [path.resolve() for path in arguments.folders] or [ROOT / package for package in PACKAGES], arguments.list
    )
    if not arguments.folders:
        print_pages()
        print_lines()


if __name__ == "__main__":
    main()
