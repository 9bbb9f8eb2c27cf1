"""Stage of a temporary environment: the components of envs/ and the catalogue of this clone, with the run's prefix."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from clone.prove import hcl
from clone.prove.context import ProofError, ProofRun
from clone.prove.settings import ProofSettings
from clone.prove.stage import Stage
from sustainable_mlops.aws.parameters import get_platform_parameter
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT

#: Folder of the generated files in a run's folder: a first and a changed environment.
_FILES = "environment-files"
_FIRST, _CHANGED = "first", "changed"
#: Settings that `change` adds.
_CHANGE = "storage:\n  intelligent_tiering_archive_days: 180\n"


def format_environment_name(run: str) -> str:
    """Return the name of the environment of a run: names of environments have no hyphen."""
    return run.replace("-", "")


def render_settings(settings: ProofSettings) -> str:
    """Return the settings of the environment as YAML.

    It shares the log groups of jobs, which exist once in an account, and which another stage creates.
    """
    prefix = f"{settings.name}-{EnvironmentStage.suffix}"
    return f"""environment: {format_environment_name(settings.name)}
account_id: "{settings.account}"
region: {settings.region}
name_prefix: {prefix}
deletion_protection: false
account_log_groups: shared
state: {{bucket: {prefix}-state-{settings.account}}}
tags: {{workload: {settings.name}, owner: smlops-prove, data_class: public}}
"""


def write_environment_files(run: ProofRun) -> Path:
    """Synthesize the environment before and after its change, once in a run, and return the folder. Raises UserError.

    The synthesis needs jsii, so it has a process of its own.
    """
    folder = run.settings.folder / _FILES
    with run.synthesis:  # two stages need the files at the same time
        if not (folder / _CHANGED / "main.tf").is_file():
            _synthesize(run.settings, folder)
    return folder


def _synthesize(settings: ProofSettings, folder: Path) -> None:
    for variant, more in ((_FIRST, ""), (_CHANGED, _CHANGE)):
        (folder / variant).mkdir(parents=True, exist_ok=True)
        (folder / variant / "settings.yaml").write_text(render_settings(settings) + more, encoding="utf-8")
    code = "import sys; from clone import synth; synth.write_temporary_environments(*sys.argv[1:])"
    result = subprocess.run(
        [sys.executable, "-c", code, str(folder / _FIRST), str(folder / _CHANGED)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise UserError(f"environment: synthesis failed: {' '.join(result.stderr.split())[-600:]}")


def delete_environment_files(settings: ProofSettings) -> None:
    """Delete the generated files: a run that continues uses the modules and the catalogue of the clone as it is now."""
    shutil.rmtree(settings.folder / _FILES, ignore_errors=True)


def read_deployer_policies(run: ProofRun) -> dict[str, dict[str, str]]:
    """Return the policies of the environment's CI roles, by role and name."""
    files = sorted((write_environment_files(run) / _FIRST / "deployer").glob("*.json"))
    return {
        role: {file.stem: file.read_text(encoding="utf-8") for file in files if file.stem.startswith(f"{role}-")}
        for role in ("plan", "apply")
    }


class EnvironmentStage(Stage):
    """The stage of a temporary environment. Its state is in the run's folder, so that the cleanup finds it."""

    module = "environment"
    suffix = "env"
    is_independent = True

    _variant = _FIRST

    def write(self) -> None:
        """Write the root module: the generated files, with paths to the modules and workloads of this clone."""
        files = write_environment_files(self.run) / self._variant
        folder = self.terraform.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("modules", "workloads"):
            if not (folder / name).exists():
                (folder / name).symlink_to(ROOT / name)
        for old in folder.glob("*.tf"):
            old.unlink()
        for file in files.glob("*.tf"):
            text = file.read_text(encoding="utf-8").replace('"../../modules/', '"./modules/')
            (folder / file.name).write_text(text.replace("${path.module}/../../", "${path.module}/"), encoding="utf-8")
        hcl.write_override(folder, self.run.settings)

    def use_resources(self) -> str:
        """Read the parameter that launchers use."""
        name = format_environment_name(self.run.name)
        parameter = self.run.get_client("ssm").get_parameter(Name=get_platform_parameter(name))["Parameter"]
        platform: dict[str, Any] = json.loads(parameter["Value"])
        if (platform["environment"], platform["name_prefix"]) != (name, self.prefix):
            raise ProofError(f"the parameter of the environment is of {platform['environment']}")
        return "the parameter for launchers was read"

    def change(self) -> str:
        """Archive raw data that nobody reads."""
        self._variant = _CHANGED
        return "storage.intelligent_tiering_archive_days = 180"
