"""What the pre-commit hook says where there is no plan."""

import subprocess
from pathlib import Path

import pytest

from sustainable_mlops.review import hook
from sustainable_mlops.terraform import Terraform, find_engine


@pytest.mark.plan
def test_the_command_that_it_names_makes_the_plan_where_it_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    plans = ["envs/dev/plan.json", "envs/pro d/plan.json"]
    for plan in plans:
        folder = Path(plan).parent
        folder.mkdir(parents=True)
        (folder / "main.tf").write_text('resource "terraform_data" "this" {}\n')
        Terraform(folder).init()
    assert hook.main([*plans, "--fail-on", "data"]) == 0
    for line in capsys.readouterr().out.splitlines():
        command = line.partition("to have one: ")[2].replace("terraform ", f"{find_engine().path} ")
        subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    assert hook.main([*plans, "--fail-on", "data"]) == 0
    assert "no plan" not in capsys.readouterr().out
