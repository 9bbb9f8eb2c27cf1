"""The parameters of a definition: what an environment gives, and what a start."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.jobs.kinds import JobKind
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.specs.common import Launchable

#: Whose role, to the parameter that gives it.
ROLES: Mapping[Phase, str] = {
    "data_preparation": "DataPreparationRoleArn",
    "training": "TrainingRoleArn",
    "inference": "InferenceRoleArn",
}
#: Kind of job, to the parameter that gives its image.
IMAGES = {"processing": "ProcessingImage", "training": "TrainingImage", "tuning": "TrainingImage"}
INPUT_KEY, GROUP = "InputKey", "ModelPackageGroupName"

Definition = dict[str, Any]
#: A job file, and what kind of job it describes.
Job = tuple[JobKind[Any], Launchable]


def name_image_parameter(additional: str = "") -> str:
    """The parameter of the image that serves, on the machines of `serving.additional` by this name."""
    return f"InferenceImage{additional[:1].upper()}{additional[1:]}"


def fill_platform_defaults(definition: Definition, platform: Platform, jobs: Mapping[str, Job]) -> Definition:
    """The definition, with what the platform gives as its parameters' defaults. Raises UserError where it lacks any."""
    given: dict[str, Any] = {
        "DataBucket": platform.buckets.data,
        "ArtifactsBucket": platform.buckets.artifacts,
        "KmsKeyArn": platform.kms_key_arn,
        "Environment": platform.environment,
        **{name: getattr(platform.roles, phase) for phase, name in ROLES.items()},
    }
    for kind, spec in jobs.values():
        image = kind.find_image(spec, platform)
        promised = kind.derived_fields(Run(spec, platform, image, None, ()))
        if kind.name in IMAGES:
            given[IMAGES[kind.name]] = image
        if (serving := promised.get("serving")) is not None:
            given[name_image_parameter()] = serving.image
            given |= {name_image_parameter(name): machines.image for name, machines in serving.additional.items()}
        if "model_package_group" in promised:
            given[GROUP] = promised["model_package_group"]
    declared = {one["Name"]: one for one in definition["Parameters"]}
    lacking = [name for name, value in given.items() if name in declared and value is None]
    if lacking:
        raise UserError(f"platform: has nothing for {', '.join(lacking)} of the definition; apply the environment")
    filled = [one | ({"DefaultValue": given[name]} if name in given else {}) for name, one in declared.items()]
    return definition | {"Parameters": filled}


def check_parameters(definition: Definition, given: Mapping[str, str]) -> None:
    """Raise UserError where a start gives what the definition does not know, or lacks what it needs."""
    declared = {one["Name"]: one for one in definition["Parameters"]}
    for name, value in given.items():
        if name not in declared:
            raise UserError(f"--set {name}: the pipeline has no such parameter{did_you_mean(name, declared)}")
        among = declared[name].get("EnumValues")
        if among and value not in among:
            raise UserError(f"--set {name}: must be one of {', '.join(map(str, among))}, not {value!r}")
        _check_type(name, value, declared[name]["Type"])
    lacking = [name for name, one in declared.items() if "DefaultValue" not in one and name not in given]
    if lacking == [INPUT_KEY]:
        raise UserError("no data: give a folder with --data, or a data set in the data bucket with --input PREFIX/")
    if lacking:
        raise UserError(f"--set {lacking[0]}=…: the pipeline has no default for {', '.join(lacking)}")


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_CONVERSIONS: dict[str, Callable[[str], Any]] = {"Integer": int, "Float": float, "Boolean": _boolean, "String": str}


def _check_type(name: str, value: str, kind: str) -> None:
    try:
        _CONVERSIONS[kind](value)
    except (ValueError, KeyError):
        raise UserError(f"--set {name}: must be of type {kind}, not {value!r}") from None


def serialize_definition(definition: Definition) -> str:
    """The definition as it is sent."""
    return json.dumps(definition, sort_keys=True)
