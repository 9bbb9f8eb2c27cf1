"""Instance types of an environment follow the AWS provider in its lock file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clone import synth
from envs import settings
from envs.provider import find_major_version
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import PROVIDER_VERSIONS, ROOT
from tests.envs import example

LOCKED = """
provider "registry.terraform.io/hashicorp/time" {{
  version = "0.9.1"
}}

provider "{registry}/hashicorp/aws" {{
  version     = "{version}"
  constraints = ">= 5.100.0, < 7.0.0"
}}
"""
#: Provider 5 rejects c8g.
REALTIME = "realtime_endpoint:\n  silicon: graviton\n  instance_type: ml.c8g.xlarge\n  latency_slo_ms: 100\n"
ASYNC = "async_endpoint:\n  instance_type: ml.c8g.xlarge\n  max_instances: 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the folder of dev, with its own catalogue."""
    shutil.copytree(example.CATALOGUE, tmp_path / "catalogue")
    copy = tmp_path / "dev"
    copy.mkdir()
    shutil.copy(example.DEV / settings.FILE, copy)
    return copy


def write_lock_file(folder: Path, version: str, registry: str = "registry.terraform.io") -> None:
    (folder / ".terraform.lock.hcl").write_text(LOCKED.format(registry=registry, version=version))


def write_endpoints(folder: Path, *endpoints: str) -> None:
    """Write endpoints of the model to the catalogue."""
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
def test_the_lock_file_determines_the_provider_version(folder: Path, version: str, registry: str, major: int) -> None:
    write_lock_file(folder, version, registry)
    assert find_major_version(folder) == major


def test_the_default_without_a_lock_file_is_the_stricter_provider(folder: Path) -> None:
    assert find_major_version(folder) == 5
    (folder / ".terraform.lock.hcl").write_text("# empty\n")
    assert find_major_version(folder) == 5


def test_unsupported_providers_are_rejected_with_the_remedy(folder: Path) -> None:
    write_lock_file(folder, "7.0.0")
    with pytest.raises(UserError, match=r"AWS provider 7, but .* support 5 and 6; run `terraform \S+ init -upgrade`"):
        settings.load(folder)


@pytest.mark.parametrize("endpoint", [REALTIME, ASYNC])
@pytest.mark.parametrize("version", ["5.100.0", None])
def test_instance_types_unknown_to_provider_5_are_rejected_in_settings(
    folder: Path, endpoint: str, version: str | None
) -> None:
    write_endpoints(folder, endpoint)
    if version:
        write_lock_file(folder, version)
    with pytest.raises(UserError, match=r"version 5 of the AWS provider refuses ml\.c8g\.xlarge"):
        settings.load(folder)


def test_provider_6_accepts_newer_types_and_modules_receive_its_version(
    folder: Path, modules: dict[str, Any], environment: Callable[..., Any]
) -> None:
    from envs.environment import COMPONENTS
    from envs.root import EnvironmentRoot

    write_endpoints(folder, REALTIME, ASYNC)
    write_lock_file(folder, "6.47.1")
    env_settings = settings.load(folder)
    body = EnvironmentRoot(env_settings, modules, COMPONENTS).synthesize().to_json()
    for kind in ("realtime_endpoint", "async_endpoint"):
        assert body["locals"][f"{kind}s"]["flight_delay"]["aws_provider"] == 6
        assert body["module"][kind]["aws_provider"] == "${each.value.aws_provider}"
    assert "aws_provider" not in str(environment().to_json()), "the committed HCL is for provider 5, the default"


def test_the_provider_version_in_settings_overrides_the_lock_file(folder: Path) -> None:
    write_endpoints(folder, REALTIME.replace("c8g", "c7g") + "  aws_provider: 5\n")
    write_lock_file(folder, "6.47.1")
    env_settings: Any = settings.load(folder)
    endpoint = env_settings.models["flight_delay"].realtime_endpoint
    assert endpoint is not None
    assert endpoint.aws_provider == 5


def test_synthesis_depends_on_lock_files_and_all_modules_have_one_constraint() -> None:
    assert "envs/*/.terraform.lock.hcl" in synth.SOURCES
    assert PROVIDER_VERSIONS == ">= 5.100.0, < 7.0.0"
    main = [*ROOT.glob("modules/*/versions.tf"), *ROOT.glob("envs/*/versions.tf")]
    assert {file.parent.name for file in main} == {*synth.list_names()[0], *synth.list_names()[1]}
    for file in main:
        assert f'version = "{PROVIDER_VERSIONS}"' in file.read_text(), file
