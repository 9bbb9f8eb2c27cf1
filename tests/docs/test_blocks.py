"""Commands, HCL and Python of the pages work when pasted."""

import re
from pathlib import Path

import pytest

from clone.synth import list_names
from sustainable_mlops import __version__
from sustainable_mlops.base.terraform import ROOT, Terraform
from sustainable_mlops.jobs.kinds import KINDS, TRAINING, JobKind
from sustainable_mlops.jobs.schemas import find_schema_file
from sustainable_mlops.jobs.specs.training import TrainingCompute
from tests.cases import check_cases
from tests.cloned_repository import Reader, clone
from tests.docs.blocks import SHELLS, FencedBlock, blocks, shell_blocks
from tests.docs.programs import is_program, list_key_words, list_problems
from tests.docs.test_journeys import list_journey_pages, select_blocks
from tests.docs.test_other_scanners import PAGE
from tests.modules.examples import examples
from tools.release.__main__ import export_commit
from tools.release.mirrors import write_mirrors
from tools.release.references import TERRAFORM_MIRROR

RUN = ("", "sandbox", "demo", "page")
PLACES = (*RUN, "account", "journey", "manual")
#: Key words of commands that their test need not contain, with the reason.
UNTESTED_WORDS = {
    "make fast": "it would start the test itself",
    "make test": "it would start the test itself",
    "exec": "tests set the variables of their own sandbox",
    "stop": "tests stop their own sandbox",
}
#: The root module that the reader of the page about reviews has applied.
ROOT_MODULE = 'resource "terraform_data" "this" {}\n'


def test_every_block_of_commands_names_its_environment() -> None:
    shell = [block for block in blocks() if block.language in SHELLS]
    assert {block.where for block in shell} >= set(PLACES)
    elsewhere = [block for block in shell if block.where not in PLACES]
    assert [str(block) for block in elsewhere if not re.fullmatch(r"tests/(\S+/)?test_\w+\.py", block.where)] == []
    assert [str(block) for block in elsewhere if not (ROOT / block.where).is_file()] == []
    assert [str(block) for block in shell if not block.commands] == []


def test_every_block_that_begins_with_a_program_has_a_language() -> None:
    unlabelled = [block for block in blocks() if not block.language]
    words = {
        str(block): [word for word in block.text.split() if word != "$" and "=" not in word] for block in unlabelled
    }
    assert [name for name, (first, *_) in words.items() if is_program(first)] == []


@check_cases("block", [one for one in blocks() if one.language in SHELLS and one.where.startswith("tests/")], ids=str)
def test_the_named_test_has_the_sub_commands_and_the_options_of_its_block(block: FencedBlock) -> None:
    files = (ROOT / block.where, (ROOT / block.where).parent / "conftest.py")
    test = "".join(file.read_text() for file in files if file.exists())
    if f'"{block.where}"' in test:
        return  # it runs the commands of the page
    words = {word for command in block.commands for word in list_key_words(command)} - UNTESTED_WORDS.keys()
    forms = {word: re.sub("[-_]", "[-_]", word.lstrip("-")) for word in words}
    assert [word for word, form in forms.items() if not re.search(rf"(?<![a-z]){form}(?![a-z])", test)] == []


def test_every_block_of_hcl_is_run_by_a_test() -> None:
    documented = {(block.file, block.where) for block in blocks() if block.language == "hcl"}
    tested = {(f"modules/{one.module}/README.md", one.case) for one in examples()}
    tested |= {(PAGE, "security_hub"), (PAGE, "checkov")}  # tests/docs/test_other_scanners.py
    tested |= {(block.file, block.where) for page, _ in list_journey_pages() for block in select_blocks(page)}
    # tests/account/adopt/test_guides.py
    moves = ("aws_ia", "huggingface", "huggingface_async", "huggingface_realtime")
    tested |= {("docs/adopting.md", name) for name in ("forget", *moves, "registry", "registry_policy")}
    assert documented - tested == {("README.md", "")}, "test_a_module_is_used_by_its_address_and_a_commit runs this one"


def test_the_readme_links_every_module() -> None:
    assert [
        name for name in list_names()[0] if f"](modules/{name}/README.md)" not in (ROOT / "README.md").read_text()
    ] == []


def test_the_page_on_jobs_describes_each_kind() -> None:
    row = r"\| `smlops \w+` \| \[(\w+)\]\((\S+)\): [^|]+ \| (\w+) \| (.+?) \|"
    rows = {name: cells for name, *cells in re.findall(row, (ROOT / "docs" / "jobs.md").read_text())}
    assert rows.keys() == KINDS.keys()
    for name, (schema, spot, ended_by) in rows.items():
        assert (ROOT / "docs" / schema).resolve() == find_schema_file(name)
        on_spot = "default" if "spot" in TrainingCompute.model_fields and KINDS[name].worker is TRAINING else "none"
        assert spot == on_spot
        overridden = type(KINDS[name]).get_runtime_limit_seconds is not JobKind.get_runtime_limit_seconds
        assert ended_by == ("`smlops transform`, while it follows the job" if overridden else "SageMaker")


@pytest.mark.slow
@check_cases("block", [one for one in blocks() if one.language in SHELLS and one.where not in RUN], ids=str)
def test_programs_files_and_options_of_commands_that_no_test_runs_exist(block: FencedBlock) -> None:
    problems = [problem for command in block.commands for problem in list_problems(command)]
    if block.where == "journey":  # the page writes some of its files
        problems = [problem for problem in problems if not problem.startswith(("no file", "no folder"))]
    assert problems == []


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Yield a reader with the plans and the files that the pages about reviews show."""
    reader = Reader(tmp_path_factory.mktemp("reader") / "clone")
    folder = reader.folder
    (folder / "main.tf").write_text(ROOT_MODULE)
    reader.paste("terraform init", "terraform apply -auto-approve")
    reader.paste("terraform plan -out plan.tfplan && terraform show -json plan.tfplan > plan.json")
    for copy in ("dev.json", "prod.json", "envs/dev/plan.json", "envs/prod/plan.json"):
        (folder / copy).parent.mkdir(exist_ok=True)
        (folder / copy).write_bytes((folder / "plan.json").read_bytes())
    for name, page, key in (
        ("budgets", "review", "budgets"),
        ("accepted", "review", "accepted"),
        ("usage", "footprint", "resources"),
    ):
        yaml_blocks = (block for block in blocks() if (block.file, block.language) == (f"docs/{page}.md", "yaml"))
        (text,) = (block.text for block in yaml_blocks if block.text.startswith(f"{key}:"))
        (folder / f"{name}.yaml").write_text(text)
    return reader


@pytest.mark.plan
@pytest.mark.slow
@pytest.mark.parametrize("block", shell_blocks(""), ids=str)
def test_local_commands_work_as_pasted(block: FencedBlock, reader: Reader) -> None:
    reader.paste(*block.commands)


@pytest.mark.slow
@pytest.mark.plan
@pytest.mark.parametrize("block", [block for block in blocks() if block.language == "python"], ids=str)
def test_python_works_as_pasted(block: FencedBlock, reader: Reader) -> None:
    (reader.folder / "pasted.py").write_text(block.text)
    reader.paste("python pasted.py")


@pytest.mark.apply
@pytest.mark.parametrize("block", shell_blocks("sandbox"), ids=str)
def test_commands_on_the_sandbox_work_as_pasted(block: FencedBlock, tmp_path: Path, aws_cli: Path) -> None:
    reader = Reader(tmp_path / "clone", aws_cli)
    try:
        output = reader.paste(*block.commands)
    finally:
        reader.paste("smlops sandbox stop")
    assert "Plan:" in output
    assert "TrainingJobSummaries" in output


#: The resources that the example of README.md refers to.
REFERRED_RESOURCES = """
resource "aws_kms_key" "data" {}
resource "aws_s3_bucket" "data" {}
resource "aws_iam_role" "data_preparation" {
  assume_role_policy = "{}"
}
"""


@pytest.mark.plan
def test_a_module_is_used_by_its_address_and_a_tag(tmp_path: Path) -> None:
    project = clone(tmp_path / "project")
    source = export_commit(project, __version__, tmp_path / "exported")
    write_mirrors(source, project, tmp_path, TERRAFORM_MIRROR)
    (block,) = (block for block in blocks() if (block.file, block.language) == ("README.md", "hcl"))
    text = block.text.replace(
        f"https://example.com/{TERRAFORM_MIRROR}.git", f"{tmp_path.as_uri()}/{TERRAFORM_MIRROR}.git"
    )
    assert text != block.text
    folder = tmp_path / "consumer"
    folder.mkdir()
    (folder / "main.tf").write_text(text + REFERRED_RESOURCES)
    terraform = Terraform(folder)
    terraform.init()
    assert terraform.validate() == []
