"""The command `smlops prove` before it creates anything: what it says, asks and refuses."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from clone.commands.prove import app
from clone.prove import settings
from clone.prove.checks.registry import CHECKS
from sustainable_mlops.base.program import run

WHERE = ("--account", "123456789012", "--region", "eu-north-1")


def exit_code(*arguments: str) -> int | str | None:
    """Run the command where nobody can be asked, and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        run(lambda: get_command(app)(list(arguments), prog_name="smlops prove"))
    return ended.value.code


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the folder of all runs, out/prove, with an empty one."""
    monkeypatch.setattr(settings, "RUNS", tmp_path)
    return tmp_path


@pytest.fixture
def on_sandbox(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--account", "12", "--region", "eu-north-1"), "--account 12: must be 12 digits"),
        (("--account", "123456789012", "--region", "eu-nowhere-1"), "--region eu-nowhere-1: AWS has no such Region"),
        (("--account", "123456789012", "--region", "cn-north-1"), "--region cn-north-1: is in another AWS partition"),
        ((*WHERE, "--module", "stroage"), "--module stroage: no such module"),
        ((*WHERE, "--with", "async"), "--with async: no such check"),
        ((*WHERE, "--cap-usd", "0.5"), "--cap-usd 0.5: the estimate is"),
        (
            ("--clean", "prove-abc123"),
            "--clean prove-abc123: no such run in out/prove; run the command in the folder of that run",
        ),
        (("--clean", "../../etc"), "--clean ../../etc: no such run"),
        (("--resume", "prove-abc123"), "--resume prove-abc123: no such run in out/prove"),
        ((*WHERE, "--resume", "prove-abc123"), "--resume: continues with the account, Region, modules and checks"),
        ((*WHERE, "--all", "--module", "studio"), "--all: selects every module and check; omit --module and --with"),
        (
            WHERE,
            "prove: there is no terminal for the confirmation; pass --yes to create and destroy the listed resources",
        ),
    ],
)
def test_a_refusal_is_one_error_line_and_creates_no_run(
    arguments: tuple[str, ...], reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*arguments) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert reason in errors[0]
    assert list(folder.iterdir()) == []


def test_resources_cost_and_duration_are_printed_before_the_confirmation(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*WHERE, "--cap-usd", "4") == 2
    output = " ".join(capsys.readouterr().err.split())
    assert "in account 123456789012, Region eu-north-1. Use a temporary account." in output
    assert "storage, access, feature_store, model_registry, pipeline" in output
    assert "realtime_endpoint: 3 x ml.c6g.large" in output
    assert "the run stops at 4 USD" in output
    assert "It stops at 180 minutes and cleans up." in output
    assert "Raise --cap-minutes" not in output


def test_a_cap_below_the_estimate_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*WHERE, "--cap-minutes", "60") == 2
    output = " ".join(capsys.readouterr().err.split())
    assert "It stops at 60 minutes and cleans up. Raise --cap-minutes" in output


@pytest.mark.usefixtures("on_sandbox")
def test_credentials_of_another_account_create_nothing(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert exit_code("--account", "210987654321", "--region", "eu-north-1", "--yes") == 2
    assert "the credentials belong to account 123456789012; nothing was created" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_all_modules_and_checks_are_assumed_to_take_less_than_two_hours(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*WHERE, "--all") == 2
    output = " ".join(capsys.readouterr().err.split())
    minutes = re.findall(r"It takes about (\d+) minutes on AWS, an assumption", output)
    assert 30 < int(minutes[0]) < 120
    assert all(name in output for name in settings.MODULES)
    assert all(f"check: {one.name}" in output for one in CHECKS.values() if one.extra_cost)
