"""A module file with lines under test."""

import importlib.util
import sys
import textwrap
from pathlib import Path

import pytest

from sustainable_mlops.base.errors import UserError

MODULE = """
from typing import Annotated, Any, Literal
from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.iam_role import IamRole
from cdktn_provider_aws.s3_bucket import S3Bucket
from cdktn_provider_aws.sagemaker_endpoint_configuration import SagemakerEndpointConfiguration
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import *
from sustainable_mlops.authoring.resources import Module, Output, Root

class Group(ModuleInputs):
    ttl_days: int | None = Field(None, description="Days.")

class Inputs(ModuleInputs):
    name_prefix: str = Field(description="Start of every name.")
    memory_mb: int = Field(2048, description="Memory, in MB.")
    groups: dict[str, Group] = Field({}, description="Groups.")
    accounts: list[str] = Field([], description="Accounts.")
    tags: dict[str, str] = Field({}, description="Tags.")
    zone: Literal["a", "b", "c"] = Field("a", description="Zone.")
"""

BUILD = """
class Trial(Module[Inputs]):
    def build(self, var: Inputs) -> dict[str, Output]:
        logs = self.add(CloudwatchLogGroup, "this", name="logs")
        buckets = self.add(S3Bucket, "each", for_each=each_of(var.groups), bucket=var.name_prefix)
        size = self.local("size", var.memory_mb + 1)
        {build}
        return {{"name": Output(logs.name, "Name.")}}

trial = Trial("trial").synthesize()
"""

ROOT = """
class Everything(Root[Inputs]):
    def build(self, var: Inputs) -> dict[str, Output]:
        {root}
        return {{}}

Everything("everything").synthesize()
"""


def run_author_file(folder: Path, *, declare: str = "", build: str = "pass", root: str = "") -> None:
    """Run a module file in `folder` with lines at its top level, in build(), and in a root module."""
    text = MODULE + textwrap.dedent(declare) + "\n" + BUILD.format(build=_indent_lines(build))
    text += ROOT.format(root=_indent_lines(root)) if root else ""
    file = folder / "author.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location("author", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["author"] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["author"]


def explain_error(folder: Path, **lines: str) -> str:
    """Run lines with an error and return the text of the reported line and the message."""
    with pytest.raises(UserError) as error_info:
        run_author_file(folder, **lines)
    location, _, message = str(error_info.value).partition(": ")
    file, _, number = location.rpartition(":")
    assert file == str(folder / "author.py"), error_info.value
    line = (folder / "author.py").read_text().splitlines()[int(number) - 1]
    return f"{line.strip()} → {message}"


def _indent_lines(lines: str) -> str:
    return textwrap.indent(textwrap.dedent(lines).strip(), " " * 8).strip()
