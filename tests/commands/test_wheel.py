"""The wheel alone, outside the repository, with the base dependencies."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.jobs.support import JOB, PLATFORM, merge_changes

pytestmark = pytest.mark.slow

INLINE = merge_changes(PLATFORM, {"account_id": ...})


@dataclass
class Installed:
    """The command of an environment that holds the wheel."""

    environment: Path
    root: Path
    folder: Path

    def run(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """Run the command, and return exit code, stdout and stderr, which contain no path of this computer."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "AWS"))
        }
        process = subprocess.run(
            [str(self.environment / "bin" / "smlops"), *arguments],
            cwd=self.folder,
            env=inherited | {"HOME": str(self.folder / "home")} | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        for place in (self.root, self.environment, Path.home()):
            assert f"{place}/" not in process.stdout + process.stderr
        return process.returncode, process.stdout, process.stderr


@pytest.fixture
def installed(wheel_environment: Path, root: Path, tmp_path: Path) -> Iterator[Installed]:
    yield Installed(wheel_environment, root, tmp_path)
    (packages,) = wheel_environment.glob("lib/python*/site-packages")
    assert not (packages / ".local").exists(), "written beside the package"


def test_it_reviews_a_plan(installed: Installed, root: Path) -> None:
    (installed.folder / "plan.json").write_bytes((root / "tests/plan/fixtures/change.json").read_bytes())
    formats = [f"review.{suffix}" for suffix in ("txt", "md", "html", "json", "sarif")]
    code, _, error = installed.run("review", "plan.json", "--write", *formats)
    assert (code, error) == (1, "")
    assert json.loads((installed.folder / "review.json").read_text())["verdict"] == "stop"
    assert all((installed.folder / name).stat().st_size > 1000 for name in formats)


def test_it_advises(installed: Installed) -> None:
    code, out, error = installed.run("advise", "--region", "eu-north-1", "--requests-per-day", "5000")
    assert (code, error) == (0, "")
    assert out.startswith("Advice for eu-north-1: serverless")


def test_it_prepares_a_training(installed: Installed, sandbox: Any) -> None:
    name = f"w{uuid.uuid4().hex[:8]}"
    buckets = {"data": f"{name}-data", "artifacts": f"{name}-artifacts"}
    for bucket in buckets.values():
        sandbox.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
        )
    sandbox.client("s3").put_object(Bucket=buckets["data"], Key="flight_delay/train/part-0", Body=b"flights")
    (installed.folder / "job.yaml").write_text(yaml.safe_dump({**JOB, "platform": {**INLINE, "buckets": buckets}}))
    (installed.folder / "train.py").write_text("print('trained')")
    code, out, error = installed.run("train", "job.yaml", "--dry-run", "--json", **sandbox.environment)
    assert code == 0, error
    answer = json.loads(out)
    assert answer["outcome"] == "dry run"
    assert answer["estimate"]["figures"]["co2e"]


def test_a_job_whose_image_needs_an_extra_names_it(installed: Installed) -> None:
    image = {"framework": "xgboost", "version": "3.0-5"}
    (installed.folder / "job.yaml").write_text(yaml.safe_dump({**JOB, "image": image, "platform": INLINE}))
    (installed.folder / "train.py").touch()
    code, _, error = installed.run("train", "job.yaml", "--dry-run", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y")  # noqa: S106
    assert (code, error.count("\n")) == (2, 1)
    assert "pip install 'sustainable-mlops[pipelines]'" in error


def test_it_says_how_to_register(installed: Installed) -> None:
    code, out, error = installed.run("register", "--help")
    assert (code, error) == (0, "")
    assert "smlops register flight-delay-" in out
    assert installed.run("register", "missing.json")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sandbox", "start"], "pip install 'sustainable-mlops[sandbox]'"),
        *((words, "needs a clone of the repository") for words in (["synth"], ["prove"], ["deploy", "flight_delay"])),
        (["new", "module", "audit_log"], "needs a clone of the repository"),
        (["review", "plan.json", "--checkov"], "run `make setup` in a clone of the repository"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_missing_extra_is_named_in_one_line(installed: Installed, arguments: list[str], message: str) -> None:
    code, out, error = installed.run(*arguments)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert message in error
