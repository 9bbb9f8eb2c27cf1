"""Line counts of each module: the Python that an author writes, and the HCL that it generates.

    .venv/bin/python -m tools.count_module_lines

Blank lines, comments, docstrings and CSV files do not count.
"""

import ast
from collections.abc import Iterable
from pathlib import Path

from sustainable_mlops.base.terraform import ROOT


def count_python_lines(text: str) -> int:
    """Return the number of lines of code in a Python file."""
    lines = {number for number, line in enumerate(text.splitlines(), 1) if line.strip() and line.strip()[0] != "#"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            docstring = node.body[0]
            lines -= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return len(lines)


def count_hcl_lines(text: str) -> int:
    """Return the number of lines of code in an HCL file."""
    return len([line for line in text.splitlines() if line.strip() and line.strip()[0] != "#"])


def count_files(files: Iterable[Path]) -> int:
    """Return the lines of code in these files."""
    counters = {".py": count_python_lines, ".tf": count_hcl_lines}
    return sum(counters[file.suffix](file.read_text()) for file in files)


def list_rows() -> list[tuple[str, int, int]]:
    """Return name, lines of Python and lines of HCL of each module, of the shared code and of the kit."""
    names = sorted(file.parent.name for file in ROOT.glob("modules/*/module.py"))
    folders = {name: ROOT / "modules" / name for name in names}
    rows = [
        (name, count_files(folder.glob("*.py")), count_files(folder.glob("*.tf"))) for name, folder in folders.items()
    ]
    rows.append(
        ("shared by modules", count_files([*ROOT.glob("modules/*.py"), *ROOT.glob("modules/endpoints/*.py")]), 0)
    )
    rows.append(("all modules", sum(python for _, python, _ in rows), sum(hcl for _, _, hcl in rows)))
    rows.append(("the kit", count_files(ROOT.glob("sustainable_mlops/authoring/**/*.py")), 0))
    rows.append(("tests of the kit", count_files(ROOT.glob("tests/authoring/*.py")), 0))
    return rows


def main() -> None:
    """Print the table."""
    print(f"{'':20}{'Python':>8}{'HCL':>8}{'ratio':>8}")
    for name, python, hcl in list_rows():
        print(f"{name:20}{python:8}{hcl or '':>8}{f'{python / hcl:.2f}' if hcl else '':>8}")


if __name__ == "__main__":
    main()
