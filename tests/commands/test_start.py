"""The start of `smlops`: it loads only the modules that the command needs."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

import sustainable_mlops.commands
from sustainable_mlops.base import cli, program
from sustainable_mlops.commands._early import report_early_end
from sustainable_mlops.commands._group import MODULES, app
from tests.cases import check_cases

COMMANDS = list(MODULES)
HEAVY = {"boto3", "botocore", "cdktn", "jinja2", "moto", "pandas", "pydantic", "sagemaker", "yaml"}
PLAN = "tests/plan/fixtures/change.json"
ADVISE = ["advise", "--region", "eu-north-1", "--requests-per-day", "5000"]
START = [sys.executable, "-c", "from sustainable_mlops.commands import main; main()"]


def use_early_end(command: Callable[[], None]) -> Callable[[], None]:
    """Return the command as one that reports the state of its launch."""

    def launch() -> None:
        with report_early_end():
            command()

    return launch


def list_loaded_modules(root: Path, *arguments: str) -> set[str]:
    """Return the modules that `smlops` has imported at its end."""
    code = (
        "import atexit, sys; from sustainable_mlops.commands import main; "
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert process.returncode in (0, 1), process.stderr
    return set(process.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], [PLAN]])
def test_a_review_imports_neither_typer_nor_heavy_packages(root: Path, arguments: list[str]) -> None:
    assert not list_loaded_modules(root, "review", *arguments) & (HEAVY | {"click", "typer"})


@check_cases("command", [[], ["train"], ["synth"]], ids=str)
def test_help_imports_the_command_that_is_asked_for_and_nothing_heavy(root: Path, command: list[str]) -> None:
    modules = list_loaded_modules(root, *command, "--help")
    assert not modules & HEAVY
    assert {name for name, module in MODULES.items() if module in modules} == set(command)


@check_cases("command", COMMANDS)
def test_help_teaches_by_example(command: str) -> None:
    if command == "review":
        from sustainable_mlops.review.command import build_parser

        text = build_parser().format_help()
    else:
        text = CliRunner().invoke(app, [command, "--help"], prog_name="smlops").stdout
    assert text.partition(f"smlops {command}")[2].count(f"smlops {command} ") >= 1, text


def test_each_file_of_a_command_that_needs_a_clone_is_an_entry_point(root: Path) -> None:
    files = {f"clone.commands.{file.stem}" for file in (root / "clone" / "commands").glob("[!_]*.py")}
    assert {module for module in MODULES.values() if module.startswith("clone.")} == files


def test_every_command_is_listed_with_a_help_sentence() -> None:
    group = get_command(app)
    commands = getattr(group, "commands", {})
    assert sorted(commands) == sorted(COMMANDS)
    assert all(command.help.endswith(".") for command in commands.values())


def test_the_requirements_table_of_the_readme_names_every_command(root: Path) -> None:
    section = (root / "README.md").read_text().partition("| commands | requirements |")[2].partition("\n\n")[0]
    names = [name for row in section.splitlines() if row for name in re.findall("`(.+?)`", row.split("|")[1])]
    assert sorted(names) == sorted(COMMANDS)


@pytest.mark.slow
def test_a_shell_completes_commands_and_their_options(root: Path) -> None:
    def complete(words: str) -> str:
        variables = {"_SMLOPS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        command = ["env", *(f"{name}={value}" for name, value in variables.items()), *START]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    assert set(complete("smlops re").split()) == {"recommend", "reconcile", "recover", "register", "restore", "review"}
    assert "--dry-run" in complete("smlops train --").split()
    assert complete("smlops review plan.json --write comment.md --w").split() == ["--write-baseline", "--write"]
    assert complete("smlops review --js").split() == ["--json"]


def test_the_version_is_printed(root: Path) -> None:
    process = subprocess.run([*START, "--version"], cwd=root, capture_output=True, text=True, check=True)
    assert process.stdout == f"{sustainable_mlops.__version__}\n"


@pytest.mark.slow
@check_cases("arguments", [[], ["train"], ["review"]], ids=str)
def test_help_is_printed_if_the_output_is_ascii_only(root: Path, arguments: list[str]) -> None:
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [*START, *arguments, "--help"]
    process = subprocess.run(command, cwd=root, env=ascii_only, capture_output=True, text=True, check=True)
    assert f"smlops {' '.join(arguments)}".strip() in process.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "start", [[*START, "advise"], [sys.executable, "scripts/smlops.py", "advise"]], ids=["smlops", "script"]
)
def test_ctrl_c_during_the_import_of_typer_ends_in_one_line(root: Path, tmp_path: Path, start: list[str]) -> None:
    (tmp_path / "typer.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")
    stopped = os.environ | {"PYTHONPATH": str(tmp_path)}
    process = subprocess.run([*start, "--help"], cwd=root, env=stopped, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout, process.stderr) == (130, "", "interrupted\n")


def test_ctrl_c_in_a_command_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    stopped = typer.Typer()
    stopped.command()(lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(SystemExit) as ended:
        program.run(lambda: stopped([]))
    assert (ended.value.code, capsys.readouterr().err) == (130, "interrupted\n")


@pytest.fixture
def default_signals() -> None:
    """Begin the test with the default handlers of signals."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("end", "code"), [(KeyboardInterrupt(), 130), (program.Termination(signal.SIGTERM), 143), (None, 130)]
)
def test_a_signal_at_a_question_ends_the_command(
    end: KeyboardInterrupt | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typer raises Abort in place of the signal, and at the end of the input."""

    def ask(*_: object, **__: object) -> None:
        try:
            raise end or EOFError
        except (KeyboardInterrupt, EOFError):
            raise typer.Abort from None

    monkeypatch.setattr(typer, "confirm", ask)
    with pytest.raises(SystemExit) as exit_info:
        program.run(lambda: cli.confirm("Delete everything?"))
    assert exit_info.value.code == code


@pytest.mark.usefixtures("default_signals")
@check_cases(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@check_cases("start", [lambda command: command, use_early_end], ids=["plain", "launch"])
def test_a_signal_ends_a_command_as_ctrl_c_does(
    number: signal.Signals, code: int, start: Callable[[Callable[[], None]], Callable[[], None]]
) -> None:
    ends = []

    def command() -> None:
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(signal.SIGHUP)  # a shell and the kernel both send it
            ends.append("cleaned up")

    stopped = typer.Typer()
    stopped.command()(start(command))
    with pytest.raises(SystemExit) as ended:
        program.run(lambda: stopped([]))
    assert (ended.value.code, ends) == (code, ["cleaned up"])
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.usefixtures("default_signals")
def test_ignored_signals_and_handlers_of_other_code_stay() -> None:
    def check() -> None:
        assert [signal.getsignal(number) for number in before] == [signal.SIG_IGN, handler]

    def handler(*_: object) -> None:
        pass

    before: dict[int, Any] = {signal.SIGHUP: signal.SIG_IGN, signal.SIGTERM: handler}
    for number, one in before.items():
        signal.signal(number, one)
    program.run(check)
    check()


@pytest.mark.usefixtures("default_signals")
def test_a_command_in_another_thread_leaves_the_signals_alone() -> None:
    handlers: list[Any] = []
    thread = Thread(target=lambda: program.run(lambda: handlers.append(signal.getsignal(signal.SIGTERM))))
    thread.start()
    thread.join()
    assert handlers == [signal.SIG_DFL]


@pytest.mark.slow
@check_cases("arguments", [ADVISE, [*ADVISE, "--json"], ["train", "--help"], ["review", PLAN]], ids=str)
def test_a_closed_pipe_ends_without_a_message(root: Path, arguments: list[str]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with open(writes, "w") as closed:
        process = subprocess.run(
            [*START, *arguments], cwd=root, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (process.returncode, process.stderr) == (141, "")
