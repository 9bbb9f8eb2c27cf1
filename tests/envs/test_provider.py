"""Instance types of an environment follow the AWS provider in its lock file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envs import settings
from envs.provider import find_major_version
from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import PROVIDER_VERSIONS, ROOT

LOCKED = """
provider "registry.terraform.io/hashicorp/time" {{
  version = "0.9.1"
}}

provider "{registry}/hashicorp/aws" {{
  version     = "{version}"
  constraints = ">= 5.100.0, < 7.0.0"
}}
"""
#: Provider 5 does not know c8g.
NEWER = "realtime_endpoint:\n  silicon: graviton\n  instance_type: ml.c8g.xlarge\n  latency_slo_ms: 100\n"
ASYNC = "async_endpoint:\n  instance_type: ml.c8g.xlarge\n  max_instances: 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the folder of dev, beside a catalogue of its own."""
    shutil.copytree(ROOT / "envs" / "catalogue", tmp_path / "catalogue")
    copy = tmp_path / "dev"
    copy.mkdir()
    shutil.copy(ROOT / "envs" / "dev" / "settings.yaml", copy)
    return copy


def lock(folder: Path, version: str, registry: str = "registry.terraform.io") -> None:
    (folder / ".terraform.lock.hcl").write_text(LOCKED.format(registry=registry, version=version))


def serve(folder: Path, *endpoints: str) -> None:
    """Write endpoints into the catalogue's entry of the model."""
    entry = folder.parent / "catalogue" / "models" / "flight_delay.yaml"
    entry.write_text("description: Late?\n" + "".join(endpoints))


@pytest.mark.parametrize(
    ("version", "registry", "major"),
    [
        ("5.100.0", "registry.terraform.io", 5),
        ("6.47.1", "registry.terraform.io", 6),
        ("6.0.0", "registry.opentofu.org", 6),
        ("5.101.0", "registry.opentofu.org", 5),
    ],
)
def test_the_lock_file_says_which_provider_it_is(folder: Path, version: str, registry: str, major: int) -> None:
    lock(folder, version, registry)
    assert find_major_version(folder) == major


def test_without_a_lock_file_it_is_the_one_that_refuses_more(folder: Path) -> None:
    assert find_major_version(folder) == 5
    (folder / ".terraform.lock.hcl").write_text("# locks nothing\n")
    assert find_major_version(folder) == 5


def test_a_provider_that_environments_do_not_work_with_is_refused_with_the_remedy(folder: Path) -> None:
    lock(folder, "7.0.0")
    with pytest.raises(UserError, match=r"AWS provider 7, but .* support 5 and 6; run `terraform \S+ init -upgrade`"):
        settings.load(folder)


@pytest.mark.parametrize("endpoint", [NEWER, ASYNC])
@pytest.mark.parametrize("version", ["5.100.0", None])
def test_provider_5_refuses_a_newer_type_before_terraform_starts(
    folder: Path, endpoint: str, version: str | None
) -> None:
    serve(folder, endpoint)
    if version:
        lock(folder, version)
    with pytest.raises(UserError, match=r"version 5 of the AWS provider rejects ml\.c8g\.xlarge"):
        settings.load(folder)


def test_provider_6_takes_it_and_the_modules_are_told(
    folder: Path, modules: dict[str, Any], environment: Callable[..., Any]
) -> None:
    from envs.environment import COMPONENTS
    from envs.root import Environment

    serve(folder, NEWER, ASYNC)
    lock(folder, "6.47.1")
    found = settings.load(folder)
    body = Environment(found, modules, COMPONENTS).synthesize().json()
    for kind in ("realtime_endpoint", "async_endpoint"):
        assert body["locals"][f"{kind}s"]["flight_delay"]["aws_provider"] == 6
        assert body["module"][kind]["aws_provider"] == "${each.value.aws_provider}"
    assert "aws_provider" not in str(environment().json()), "the committed HCL of provider 5 says nothing"


def test_what_the_settings_say_goes_before_the_lock_file(folder: Path) -> None:
    serve(folder, NEWER.replace("c8g", "c7g") + "  aws_provider: 5\n")
    lock(folder, "6.47.1")
    found: Any = settings.load(folder)
    endpoint = found.models["flight_delay"].realtime_endpoint
    assert endpoint is not None
    assert endpoint.aws_provider == 5


def test_a_synthesis_depends_on_the_lock_files_of_environments_and_every_root_and_module_has_one_constraint() -> None:
    assert "envs/*/.terraform.lock.hcl" in synth.SOURCES
    assert PROVIDER_VERSIONS == ">= 5.100.0, < 7.0.0"
    written = [*ROOT.glob("modules/*/versions.tf"), *ROOT.glob("envs/*/versions.tf")]
    assert {file.parent.name for file in written} == {*synth.list_names()[0], *synth.list_names()[1]}
    for file in written:
        assert f'version = "{PROVIDER_VERSIONS}"' in file.read_text(), file
