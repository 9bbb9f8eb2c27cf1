"""Readers follow the pages literally, from a fresh clone or from the package, without what this checkout built.

Each journey is one shell, which runs the blocks of its pages in order and writes the files that they show. To print the
machine time of each journey, run `.venv/bin/pytest -q -s -m release tests/docs/test_journeys.py`.
"""

import math
import os
import re
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from sustainable_mlops import __version__
from sustainable_mlops.base.terraform import ROOT, find_engine, make_environment
from tests.cloned_repository import clone, git
from tests.docs.blocks import SHELLS, FencedBlock, blocks
from tools.release.__main__ import export_commit
from tools.release.mirrors import write_mirrors
from tools.release.references import PROJECT, TERRAFORM_MIRROR, read_address

ADDRESS = read_address(ROOT).rpartition("/")[0]
#: Environments of blocks that a journey runs; a block of another language with a file name is that file.
RUN = ("journey", "page", "sandbox")
FILE = re.compile(r"[\w./-]+\.\w+")
SET_UP = ("docs/first_hour.md", "Clone and set up")
#: Variables of Terraform that name the provider's mirror and cache on this computer.
PROVIDER_VARIABLES: tuple[str, ...] = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")
#: Most seconds from the clone to the end of the first hour.
LIMIT = 15 * 60


@dataclass(frozen=True)
class Journey:
    """Reader: the pages, each with the heading of a section or all of it, and texts that the output must have."""

    reader: str
    pages: tuple[tuple[str, str], ...]
    expected: tuple[str, ...]
    files: tuple[str, ...] = ()
    limit: float = math.inf  # seconds


JOURNEYS = [
    Journey(
        "platform engineer",
        (("docs/first_hour.md", ""),),
        ("Plan:", "a month", "Apply complete!", "The review stops this plan."),
        ("sustainable-mlops/report.html",),
        LIMIT,
    ),
    Journey(
        "consumer of one module",
        (("docs/module_in_your_hcl.md", ""),),
        ("The configuration is valid.", "1 passed, 0 failed.", "Fine: nothing to look at"),
        ("review.md",),
    ),
    Journey(
        "reviewer",
        (("docs/infracost.md", ""),),
        ("2 create", "The budget stops this plan."),
        ("review.md", "review.html", "review.json"),
    ),
    Journey(
        "data scientist",
        (SET_UP, ("docs/own_data.md", "")),
        ("Apply complete!",),
        ("sustainable-mlops/out/predictions/ask.csv.out", "sustainable-mlops/out/response.csv"),
    ),
    Journey(
        "adopter",
        (SET_UP, ("docs/adopting.md", "")),
        ("3 to import, 0 to add, 0 to change, 0 to destroy", "3 imported, 0 added, 0 changed, 0 destroyed"),
        ("sustainable-mlops/adopted/imports.tf",),
    ),
]


def list_journey_pages() -> list[tuple[str, str]]:
    """Return the pages of all journeys, each with the heading of its section."""
    return [page for journey in JOURNEYS for page in journey.pages]


def select_blocks(page: str, heading: str = "") -> list[FencedBlock]:
    """Return the blocks of a page that a journey uses, of one section if there is a heading."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    begin, end = 0, len(lines)
    if heading:
        begin = lines.index(f"## {heading}")
        end = next((n for n in range(begin + 1, end) if lines[n].startswith("## ")), end)
    on_page = [block for block in blocks() if block.file == page and begin < block.line <= end]
    return [one for one in on_page if (one.where in RUN if one.language in SHELLS else FILE.fullmatch(one.where))]


def write_script(journey: Journey) -> str:
    """Return the commands and the files of the pages as one script."""
    lines = ["set -e"]
    for page, heading in journey.pages:
        for block in select_blocks(page, heading):
            if block.language in SHELLS:
                lines += [f"echo {block}", *block.commands]
            else:
                lines += [f"mkdir -p $(dirname {block.where})", f"cat > {block.where} <<'END_OF_FILE'"]
                lines += [block.text.rstrip("\n"), "END_OF_FILE"]
    return "\n".join(lines) + "\n"


def publish(folder: Path) -> dict[str, str]:
    """Make the tagged repositories that the pages name, and return the variables that lead git to them."""
    repository = clone(folder / PROJECT)
    git(repository, "tag", f"v{__version__}")
    source = export_commit(repository, __version__, folder / "exported")
    write_mirrors(source, repository, folder, TERRAFORM_MIRROR)
    names = {f"{PROJECT}.git": repository, f"{TERRAFORM_MIRROR}.git": folder / f"{TERRAFORM_MIRROR}.git"}
    variables = {"GIT_CONFIG_COUNT": str(len(names))}
    for number, (name, path) in enumerate(names.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = f"url.{path.as_uri()}.insteadOf"
        variables[f"GIT_CONFIG_VALUE_{number}"] = f"{ADDRESS}/{name}"
    return variables


def make_variables(aws_cli: Path) -> dict[str, str]:
    """Return the variables of a reader, without this checkout, and with the provider that this computer offers."""
    variables = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    offered = make_environment()
    provider = {name: offered[name] for name in PROVIDER_VARIABLES if name in offered}
    own = str(ROOT / ".venv" / "bin")
    path = [str(aws_cli), str(Path(find_engine().path).parent)]
    path += [one for one in variables["PATH"].split(os.pathsep) if one != own]
    return {**variables, **provider, "PATH": os.pathsep.join(path), "NO_COLOR": "1", "TF_CLI_ARGS": "-no-color"}


@pytest.mark.release
@pytest.mark.apply
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.reader)
def test_a_reader_reaches_the_end_of_the_page(journey: Journey, tmp_path: Path, aws_cli: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    variables = make_variables(aws_cli) | publish(tmp_path / "published")
    begin, used = time.monotonic(), _measure_processor_seconds()
    process = subprocess.run(
        ["bash", "-c", write_script(journey)],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begin
    stop_sandbox(folder, variables)
    used = _measure_processor_seconds() - used
    print(f"\njourney of the {journey.reader}: {seconds:.0f} s, {used:.0f} s of processor time without the sandbox")
    assert process.returncode == 0, process.stdout
    assert [text for text in journey.expected if text not in process.stdout] == []
    assert [name for name in journey.files if not (folder / name).is_file()] == []
    assert seconds < journey.limit


def _measure_processor_seconds() -> float:
    """Return the processor time of all ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def stop_sandbox(folder: Path, variables: dict[str, str]) -> None:
    """Stop the sandbox of a journey that did not reach its end."""
    smlops = folder / "sustainable-mlops" / ".venv" / "bin" / "smlops"
    if smlops.is_file():
        subprocess.run(
            [smlops, "sandbox", "stop"], cwd=smlops.parents[2], env=variables, capture_output=True, check=False
        )


def test_a_script_writes_files_and_runs_commands_in_the_order_of_the_page() -> None:
    script = write_script(Journey("", (("docs/module_in_your_hcl.md", "Test it without AWS"),), ()))
    assert script.index("cat > tests/storage.tftest.hcl") < script.index("\nterraform test\n")
    assert "terraform init" not in script
