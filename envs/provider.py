"""Version of the AWS provider of an environment, from the committed lock file in its folder.

Endpoints on instances need the major version, because version 5 refuses newer instance types. The rules:

- The lock file decides if it exists. It is part of the environment, so the HCL does not depend on the computer.
- Without a lock file, the version is 5. A wrong 5 only refuses the newest types in the plan, with a remedy. A wrong 6
  would accept types that the provider refuses.
- `aws_provider` of a model's endpoint, in the settings or the catalogue, overrides both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from sustainable_mlops.authoring import Field
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import LOCK_NAME, read_provider_version

OLDEST: Literal[5] = 5
NEWEST: Literal[6] = 6
#: Fields of a model with endpoints that need the version.
_ON_INSTANCES = ("async_endpoint", "realtime_endpoint")


def make_aws_provider_field() -> Any:
    """Return the field `aws_provider` of an endpoint in an environment."""
    return Field(
        OLDEST,
        description="Major version of the AWS provider. Version 5 refuses newer instance types, such as ml.c8g. "
        f"Default: the version in {LOCK_NAME} in the environment's folder, or 5 without that file.",
    )


def find_major_version(folder: Path) -> int:
    """Return the locked major version of the AWS provider. Raises UserError for an unsupported version."""
    path = folder / LOCK_NAME
    version = read_provider_version(path)
    if version is None:
        return OLDEST
    if not OLDEST <= (major := int(version.partition(".")[0])) <= NEWEST:
        raise UserError(
            f"{path}: locks AWS provider {major}, but environments support {OLDEST} and {NEWEST}; run "
            f"`terraform -chdir={folder} init -upgrade`"
        )
    return major


def add_provider_to_settings(settings: Mapping[str, Any], major: int) -> dict[str, Any]:
    """Return the raw settings with `aws_provider` set for each endpoint on instances.

    A value in the settings stays. Nothing is added for the default version of the modules.
    """
    models = settings.get("models")
    if major == OLDEST or not isinstance(models, Mapping):
        return dict(settings)
    return {**settings, "models": {key: _add_to_model(model, major) for key, model in models.items()}}


def _add_to_model(model: Any, major: int) -> Any:
    if not isinstance(model, Mapping):
        return model
    endpoints = {name: model[name] for name in _ON_INSTANCES if isinstance(model.get(name), Mapping)}
    return {**model, **{name: {"aws_provider": major, **endpoint} for name, endpoint in endpoints.items()}}
