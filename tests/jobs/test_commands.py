"""The commands, as a person meets them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.support import WriteJob


def run(root: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "scripts" / f"{script}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )


@pytest.mark.parametrize("json_only", [[], ["--json"]])
def test_a_mistake_in_the_job_file_ends_with_one_line_and_code_2(
    root: Path, write_job: WriteJob, json_only: list[str]
) -> None:
    path = write_job(compute={"spott": True})
    done = run(root, "train", str(path), *json_only)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {path}: compute.spott: unknown key; did you mean 'spot'?\n"


def test_what_needs_no_account_is_checked_without_one(
    root: Path, write_job: WriteJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    path = write_job(compute={"instance_type": "ml.m55.large"})
    done = run(root, "train", str(path), "--dry-run")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {path}: compute.instance_type: ml.m55.large cannot train: ")


def test_approving_without_a_reason_is_refused(root: Path) -> None:
    done = run(root, "register", "record.json", "--approve")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --approve: pass the reason with --reason TEXT; the package stores it\n"


def test_help_and_the_package_load_nothing_heavy(root: Path) -> None:
    heavy = ["boto3", "botocore", "sagemaker", "pandas", "moto", "cdktn"]
    code = f"import sys, sustainable_mlops.jobs.schemas; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert loaded.stdout == "[]\n"
    for script in ("train", "register"):
        assert f"scripts/{script}.py" in run(root, script, "--help").stdout
