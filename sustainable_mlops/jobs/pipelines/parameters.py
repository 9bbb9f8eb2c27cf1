"""Parameters of a definition, from the environment and from a start."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.jobs.kinds import JobKind
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.specs.common import Launchable

#: Phase of a role to its parameter.
ROLES: Mapping[Phase, str] = {
    "data_preparation": "DataPreparationRoleArn",
    "training": "TrainingRoleArn",
    "inference": "InferenceRoleArn",
}
#: Job kind to the parameter of its image.
IMAGES = {"processing": "ProcessingImage", "training": "TrainingImage", "tuning": "TrainingImage"}
INPUT_KEY, GROUP = "InputKey", "ModelPackageGroupName"
#: Parameter with the reason of a start. The alarm on drift sets it.
START_REASON = "StartReason"
#: Parameter with the CloudWatch namespace of drift metrics.
DRIFT_NAMESPACE = "DriftNamespace"

Definition = dict[str, Any]
#: A job kind and a job file of this kind.
Job = tuple[JobKind[Any], Launchable]


def name_image_parameter(additional: str = "") -> str:
    """Return the parameter of the serving image; `additional` is a key of `serving.additional`."""
    return f"InferenceImage{additional[:1].upper()}{additional[1:]}"


def fill_platform_defaults(definition: Definition, platform: Platform, jobs: Mapping[str, Job]) -> Definition:
    """Return the definition with defaults from the platform. Raises UserError if the platform lacks one."""
    defaults: dict[str, Any] = {
        "DataBucket": platform.buckets.data,
        "ArtifactsBucket": platform.buckets.artifacts,
        "KmsKeyArn": platform.kms_key_arn,
        "Environment": platform.environment,
        DRIFT_NAMESPACE: f"{platform.name_prefix}/drift" if platform.name_prefix else None,
        **{name: getattr(platform.roles, phase) for phase, name in ROLES.items()},
    }
    for kind, spec in jobs.values():
        image = kind.find_image(spec, platform)
        fields = kind.derive_fields(Run(spec, platform, image, None, ()))
        if kind.name in IMAGES:
            defaults[IMAGES[kind.name]] = image
        if (serving := fields.get("serving")) is not None:
            defaults[name_image_parameter()] = serving.image
            defaults |= {name_image_parameter(name): instances.image for name, instances in serving.additional.items()}
        if "model_package_group" in fields:
            defaults[GROUP] = fields["model_package_group"]
    declared = {parameter["Name"]: parameter for parameter in definition["Parameters"]}
    missing = [name for name, value in defaults.items() if name in declared and value is None]
    if missing:
        raise UserError(f"platform: has no {', '.join(missing)}, which the definition needs; apply the environment")
    filled = [
        parameter | ({"DefaultValue": defaults[name]} if name in defaults else {})
        for name, parameter in declared.items()
    ]
    return definition | {"Parameters": filled}


def check_parameters(definition: Definition, values: Mapping[str, str]) -> None:
    """Raise UserError for an unknown, invalid or missing parameter of a start."""
    declared = {parameter["Name"]: parameter for parameter in definition["Parameters"]}
    for name, value in values.items():
        if name not in declared:
            raise UserError(f"--set {name}: the pipeline has no such parameter{did_you_mean(name, declared)}")
        allowed = declared[name].get("EnumValues")
        if allowed and value not in allowed:
            raise UserError(f"--set {name}: must be one of {', '.join(map(str, allowed))}, not {value!r}")
        _check_type(name, value, declared[name]["Type"])
    missing = [name for name, parameter in declared.items() if "DefaultValue" not in parameter and name not in values]
    if missing == [INPUT_KEY]:
        raise UserError("no data: pass a folder with --data, or a data set in the data bucket with --input PREFIX/")
    if missing:
        options = " ".join("--data FOLDER" if name == INPUT_KEY else f"--set {name}=VALUE" for name in missing)
        raise UserError(f"the pipeline has no default for {', '.join(missing)}: pass {options}")


def _parse_boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_CONVERSIONS: dict[str, Callable[[str], Any]] = {
    "Integer": int,
    "Float": float,
    "Boolean": _parse_boolean,
    "String": str,
}


def _check_type(name: str, value: str, kind: str) -> None:
    try:
        _CONVERSIONS[kind](value)
    except (ValueError, KeyError):
        raise UserError(f"--set {name}: must be of type {kind}, not {value!r}") from None


def serialize_definition(definition: Definition) -> str:
    """Return the definition as sent to SageMaker."""
    return json.dumps(definition, sort_keys=True)
