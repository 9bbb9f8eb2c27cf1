"""The two environments of the demo: envs/dev with other settings, below `.local/demo`.

    python -m tools.demo.environments dev staging

writes their HCL from their settings. The demo runs this as another process, because jsii takes seconds.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from clone import synth
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.terraform import LOCAL, LOCK_NAME, ROOT, get_provider_version, read_provider_version

SOURCE = ROOT / "envs" / "dev"
FOLDER = LOCAL / "demo" / "envs"
#: Accounts by environment: dev trains and registers, staging serves.
ACCOUNTS = {"dev": "123456789012", "staging": "234567890123"}
REGION = "eu-north-1"
MODEL = "flight_delay"
#: Role that Terraform and `smlops promote` assume in the account of staging.
DEPLOYER = f"arn:aws:iam::{ACCOUNTS['staging']}:role/deployer"
#: Data set that the alarm on drift trains on.
CURRENT = "raw/flight_delay/current/"
#: Pipeline that checks batches for drift: an additional entry of the catalogue.
DRIFT = "flight_delay_drift"
DRIFT_ENTRY = {
    "definition_file": "workloads/flight_delay/drift_pipeline.json",
    "images": {"ProcessingImage": "sagemaker-xgboost:3.0-5"},
}
#: Rounds of the training after drift: enough for the gate, and a quarter of the first training's time.
ROUNDS = 60
#: Sources of the HCL, as patterns of paths.
_SOURCES = (
    "envs/**/*.py",
    "envs/catalogue/*/*.yaml",
    "envs/dev/settings.yaml",
    "modules/**/*.py",
    "sustainable_mlops/authoring/**/*.py",
    "sustainable_mlops/catalogue/*.*",
    "clone/synth/**/*.py",
    "tools/demo/*.py",
)


def find_folder(name: str) -> Path:
    """Return the folder of an environment of the demo."""
    return FOLDER / name


def build_settings(name: str, key_arn: str | None = None) -> dict[str, Any]:
    """Return the settings of an environment. `key_arn` is the key of dev, with which the models are encrypted."""
    settings: dict[str, Any] = yaml.safe_load((SOURCE / "settings.yaml").read_text())
    if name == "dev":
        readers = [ACCOUNTS["staging"]]
        artifacts = f"smlops-dev-artifacts-{ACCOUNTS['dev']}-{REGION}"
        return settings | {
            "models": {MODEL: {"reader_account_ids": readers}},
            "storage": {"reader_account_ids": readers},
            "pipelines": {
                MODEL: {
                    "drift": {
                        "workload": "flight-delay",
                        "parameters": {"InputKey": CURRENT, "NumRound": str(ROUNDS)},
                    }
                },
                # Each execution names the profile of the model that is in use.
                DRIFT: {"parameters": {"Profile": f"s3://{artifacts}/runs/flight-delay/none/evaluation"}},
            },
        }
    return settings | {
        "environment": name,
        "account_id": ACCOUNTS[name],
        "name_prefix": f"smlops-{name}",
        "assume_role_arn": DEPLOYER,
        "state": {"bucket": f"smlops-{name}-state-{ACCOUNTS[name]}"},
        "feature_groups": {"flights": None},
        "pipelines": {MODEL: None, DRIFT: None},
        "models": {MODEL: {"async_endpoint": {"max_instances": 1, "inference_specification_name": "graviton"}}},
        "storage": {},  # nobody else reads its models
        "promotion": {"registries": {ACCOUNTS["dev"]: "smlops-dev"}},
        "access": {"decrypt_key_arns": [key_arn] if key_arn else []},
    }


def write_environments(*names: str, key_arn: str | None = None) -> None:
    """Write the settings and the HCL of environments, without packages. Raises UserError.

    `key_arn` is the key of dev, with which the models are encrypted.
    """
    catalogue = FOLDER / "catalogue"
    shutil.copytree(ROOT / "envs" / "catalogue", catalogue, dirs_exist_ok=True)
    (catalogue / "pipelines" / f"{DRIFT}.yaml").write_text(yaml.safe_dump(DRIFT_ENTRY))
    for folder in synth.CALLED_FOLDERS:  # the HCL refers to them
        if not (FOLDER.parent / folder).exists():
            (FOLDER.parent / folder).symlink_to(ROOT / folder)
    digests = {name: _write_settings(find_folder(name), build_settings(name, key_arn)) for name in names}
    changed = {name: digest for name, digest in digests.items() if _read_stamp(name) != digest}
    if not changed:
        return
    command = [sys.executable, "-m", "tools.demo.environments", *changed]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        raise UserError(f"demo: {process.stderr.strip()}")
    for name, digest in changed.items():
        _find_stamp(name).write_text(digest)


def _write_settings(folder: Path, settings: dict[str, Any]) -> str:
    """Write the settings, and return a digest of everything that the HCL is made from."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK_NAME
    if lock.exists() and read_provider_version(lock) != get_provider_version():
        lock.unlink()  # a run with another provider wrote it
    (folder / synth.PACKAGES).write_text(json.dumps({"model_packages": {}}, indent=2) + "\n")
    text = yaml.safe_dump(settings, sort_keys=False)
    (folder / "settings.yaml").write_text(text)
    digest = hashlib.sha256(text.encode())
    for file in sorted(file for pattern in _SOURCES for file in ROOT.glob(pattern)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _find_stamp(name: str) -> Path:
    return find_folder(name) / "synthesized"


def _read_stamp(name: str) -> str:
    return _find_stamp(name).read_text() if _find_stamp(name).exists() else ""


def synthesize(names: Iterable[str]) -> None:
    """Write the HCL of environments from their settings. Starts jsii."""
    modules = synth.load_modules(synth.list_names()[0])
    from envs.environment import COMPONENTS
    from envs.root import EnvironmentRoot
    from envs.settings import load

    for folder in map(find_folder, names):
        for file, text in EnvironmentRoot(load(folder), modules, COMPONENTS).synthesize().render_files().items():
            write_file(folder / file, text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+", choices=ACCOUNTS)
    synthesize(parser.parse_args().names)
