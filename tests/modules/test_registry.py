"""Files, comments and tables of the modules, which Terraform's registry, tflint and terraform-docs read.

The tests of `make release` in test_linters.py run the two programs.
"""

import re
from pathlib import Path

from clone import synth
from sustainable_mlops.base.terraform import ROOT
from tests.cases import check_cases

MODULES = synth.list_names()[0]
FILES = {"main.tf", "outputs.tf", "variables.tf", "versions.tf"}
IGNORED = "# tflint-ignore: terraform_unused_declarations # "
_BLOCK = re.compile(r'^(?P<lead>#[^\n]*\n)?(?P<kind>variable|output) "(?P<name>\w+)" {\n(?P<body>.*?)^}$', re.M | re.S)
_DESCRIPTION = re.compile(r'^  description = "(.*)"$', re.M)


def list_blocks(folder: Path, file: str) -> dict[str, re.Match[str]]:
    """Return the variables or the outputs of a module by name."""
    return {block["name"]: block for block in _BLOCK.finditer((folder / file).read_text())}


def read_table(page: str, mark: str) -> dict[str, list[str]]:
    """Return the cells of each row of a generated table, without rows of nested attributes."""
    table = page.partition(f"<!-- {mark} -->\n")[2].partition(f"<!-- /{mark} -->")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in row] for row in rows if "&nbsp;" not in row[0]]
    return {row[0].strip("*"): [cell.replace("\\|", "|") for cell in row[1:]] for row in cells}


@check_cases("module", MODULES)
def test_modules_and_examples_have_the_standard_files(module: str) -> None:
    folder = ROOT / "modules" / module
    for one in (folder, *(folder / "examples").iterdir()):
        assert {file.name for file in one.glob("*.tf")} >= FILES, one


@check_cases("module", MODULES)
def test_only_a_variable_that_nothing_reads_has_the_comment_for_tflint(module: str) -> None:
    folder = ROOT / "modules" / module
    variables = list_blocks(folder, "variables.tf")
    others = "".join(file.read_text() for file in folder.glob("*.tf") if file.name != "variables.tf")
    for name, block in variables.items():
        texts = [others, *(other[0] for key, other in variables.items() if key != name)]
        is_read = any(re.search(rf"\bvar\.{name}\b", text) for text in texts)
        assert (block["lead"] or "").startswith(IGNORED) != is_read, name


@check_cases("module", MODULES)
def test_the_tables_of_a_page_have_the_variables_and_the_outputs_of_the_module(module: str) -> None:
    folder = ROOT / "modules" / module
    page = (folder / "README.md").read_text()
    for mark, file in (("inputs", "variables.tf"), ("outputs", "outputs.tf")):
        rows, blocks = read_table(page, mark), list_blocks(folder, file)
        assert list(rows) == sorted(blocks)
        for name, block in blocks.items():
            (description,) = _DESCRIPTION.findall(block["body"])
            assert rows[name][0] == description.replace('\\"', '"')
            if mark == "inputs":
                assert (rows[name][2] == "required") == ("\n  default " not in block["body"]), name
