"""Commands that launch jobs, from the command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.support import WriteJob


def run_script(root: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "scripts" / "smlops.py"), script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )


@pytest.mark.parametrize("json_only", [[], ["--json"]])
def test_an_error_in_the_job_file_is_one_line_and_code_2(root: Path, write_job: WriteJob, json_only: list[str]) -> None:
    path = write_job(compute={"spott": True})
    completed = run_script(root, "train", str(path), *json_only)
    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr == f"error: {path}: compute.spott: unknown key; did you mean 'spot'?\n"


def test_checks_without_aws_come_first(root: Path, write_job: WriteJob, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    path = write_job(compute={"instance_type": "ml.m55.large"})
    completed = run_script(root, "train", str(path), "--dry-run")
    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr.startswith(f"error: {path}: compute.instance_type: ml.m55.large cannot train: ")


def test_a_probe_has_nothing_to_download(root: Path, write_transform: WriteJob, tmp_path: Path) -> None:
    completed = run_script(root, "transform", str(write_transform()), "--probe", "--download", str(tmp_path / "copy"))
    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr == "error: --download does not apply to --probe; omit one of them\n"
    assert not (tmp_path / "copy").exists()


def test_an_approval_without_a_reason_is_rejected(root: Path) -> None:
    completed = run_script(root, "register", "record.json", "--approve")
    assert (completed.returncode, completed.stdout) == (2, "")
    assert completed.stderr == "error: --approve: pass the reason with --reason TEXT; the package stores it\n"


def test_the_help_and_the_schemas_import_no_large_library(root: Path) -> None:
    heavy = ["boto3", "botocore", "sagemaker", "pandas", "moto", "cdktn"]
    code = f"import sys, sustainable_mlops.jobs.schemas; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert loaded.stdout == "[]\n"
    for script in ("train", "register"):
        assert f"smlops {script}" in run_script(root, script, "--help").stdout
