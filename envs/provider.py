"""The AWS provider of an environment, by the lock file that `terraform init` leaves in its folder and git keeps.

Endpoints on instances need its major version: version 5 refuses newer instance types. The rule:

- The lock file decides where there is one. It is part of the environment, so the HCL does not depend on the machine.
- Without a lock file it is 5. A wrong 5 only refuses the newest types, in the plan and with the remedy. A wrong 6 would
  let them through to a provider that refuses them.
- `aws_provider` of a model's endpoint, in the settings or the catalogue, goes before both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from sustainable_mlops.authoring import Field
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import LOCK_NAME, read_provider_version

OLDEST: Literal[5] = 5
NEWEST: Literal[6] = 6
#: Fields of a model whose endpoints take the version.
_ON_INSTANCES = ("async_endpoint", "realtime_endpoint")


def aws_provider_field() -> Any:
    """Return the field `aws_provider` of an endpoint in an environment."""
    return Field(
        OLDEST,
        description="Major version of the AWS provider: 5 refuses newer instance types, such as ml.c8g. The default is "
        f"that of {LOCK_NAME} in the environment's folder, and 5 without that file.",
    )


def find_major_version(folder: Path) -> int:
    """Return the major version of the AWS provider that an environment is locked to. Raises UserError on others."""
    path = folder / LOCK_NAME
    version = read_provider_version(path)
    if version is None:
        return OLDEST
    if not OLDEST <= (major := int(version.partition(".")[0])) <= NEWEST:
        raise UserError(
            f"{path}: locks AWS provider {major}, and environments work with {OLDEST} and {NEWEST}; run "
            f"`terraform -chdir={folder} init -upgrade`"
        )
    return major


def with_provider(settings: Mapping[str, Any], major: int) -> dict[str, Any]:
    """Return settings, as they are written, in which each endpoint on instances says its provider.

    What says it already stays, and so does everything where the version is the modules' own default.
    """
    models = settings.get("models")
    if major == OLDEST or not isinstance(models, Mapping):
        return dict(settings)
    return {**settings, "models": {key: _of_model(model, major) for key, model in models.items()}}


def _of_model(model: Any, major: int) -> Any:
    if not isinstance(model, Mapping):
        return model
    endpoints = {name: model[name] for name in _ON_INSTANCES if isinstance(model.get(name), Mapping)}
    return {**model, **{name: {"aws_provider": major, **endpoint} for name, endpoint in endpoints.items()}}
