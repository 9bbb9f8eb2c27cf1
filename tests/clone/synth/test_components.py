"""A new component of all environments needs one file and one line in the list."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPONENT = '''"""Approvals that somebody reads."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from envs.common import CommonSettings
from envs.component import Component
from envs.components.storage import Storage
from sustainable_mlops.authoring import Field

if TYPE_CHECKING:
    from envs.root import EnvironmentRoot


class NewsSettings(CommonSettings):
    news_topic: str = Field("news", description="Name of the topic.")


class News(Component[NewsSettings]):
    """A topic."""

    arn: str

    def add(self, env: "EnvironmentRoot") -> None:
        from cdktn_provider_aws.sns_topic import SnsTopic

        topic = env.add(SnsTopic, "news", name=self.settings.news_topic, kms_master_key_id=env[Storage].kms_key_arn)
        self.arn = topic.arn

    def list_platform_fields(self) -> Mapping[str, Any]:
        return {"news_topic_arn": self.arn}
'''


def run_synthesis(copy: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(copy / "scripts" / "smlops.py"), "synth", *arguments]
    return subprocess.run(
        command, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_new_components_need_one_file_and_one_list_entry(copy: Path) -> None:
    (copy / "envs" / "components" / "news.py").write_text(COMPONENT)
    component_list = copy / "envs" / "environment.py"
    text = component_list.read_text().replace("\nCOMPONENTS", "from envs.components.news import News\n\nCOMPONENTS", 1)
    component_list.write_text(text.replace("    PlatformParameter,\n", "    News,\n    PlatformParameter,\n"))
    settings = copy / "envs" / "dev" / "settings.yaml"
    settings.write_text(f"{settings.read_text()}news_topic: approvals\n")

    result = run_synthesis(copy)
    assert result.returncode == 0, result.stderr
    main = (copy / "envs" / "dev" / "main.tf").read_text()
    assert 'resource "aws_sns_topic" "news" {' in main
    assert '= "approvals"' in main
    assert "aws_sns_topic.news.arn" in main[main.index("platform = {") :]
    assert '= "news"' in (copy / "envs" / "prod" / "main.tf").read_text(), "prod's settings leave it to the default"
    assert "news_topic" in json.loads((copy / "envs" / "settings.schema.json").read_text())["properties"]

    settings.write_text(settings.read_text().replace("news_topic", "news_topik"))
    result = run_synthesis(copy)
    assert result.returncode == 2
    assert result.stderr.endswith("dev/settings.yaml: news_topik: unknown key; did you mean 'news_topic'?\n")


@pytest.mark.slow
def test_synth_creates_the_file_of_promoted_packages_and_never_changes_it(copy: Path) -> None:
    dev, prod = (copy / "envs" / name / "models.auto.tfvars.json" for name in ("dev", "prod"))
    promoted = '{"model_packages": {"flight_delay": "arn:aws:sagemaker:…"}}'
    dev.write_text(promoted)
    prod.unlink()
    result = run_synthesis(copy, "--check")
    assert result.returncode == 1
    assert "envs/prod/models.auto.tfvars.json" in result.stdout + result.stderr
    assert run_synthesis(copy).returncode == 0
    assert dev.read_text() == promoted
    assert json.loads(prod.read_text()) == {"model_packages": {}}
    assert run_synthesis(copy, "--check").returncode == 0
