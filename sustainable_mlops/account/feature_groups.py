"""Addition of declared features to existing feature groups.

The Terraform provider could only replace the group and lose its data, so the feature_store module does not do this.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, field_validator

from sustainable_mlops.aws import Client, read_error_code, translate_aws_errors
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.base.settings import validate

#: Maximum of features that one UpdateFeatureGroup adds. Source: FeatureAdditions in the SageMaker API reference.
MAX_ADDITIONS = 100
_PAUSE = 2.0  # seconds between two requests for the status
_LONGEST = 600.0  # seconds; an update takes about a minute


class DeclaredFeatureGroup(BaseModel):
    """Feature group as the output of the feature_store module declares it."""

    name: str
    arn: str
    features: dict[str, Literal["Integral", "Fractional", "String"]]

    @field_validator("arn")
    @classmethod
    def check_arn(cls, arn: str) -> str:
        """Return the ARN. Raises ValueError if the text is not one."""
        return str(Arn.parse(arn))

    @property
    def region(self) -> str:
        """Region of the group."""
        return Arn.parse(self.arn).region


class _Output(BaseModel):
    feature_groups: dict[str, DeclaredFeatureGroup]


@dataclass(frozen=True)
class Evolution:
    """Missing features of one group, with their types; empty if the group is as declared."""

    group: str
    additions: dict[str, str]

    def build_definitions(self) -> list[dict[str, str]]:
        """Return the additions in the form of the API."""
        return [{"FeatureName": name, "FeatureType": kind} for name, kind in sorted(self.additions.items())]


def read_declarations(outputs: Mapping[str, Any], source: str) -> dict[str, DeclaredFeatureGroup]:
    """Return the declared groups by key, from the output of `terraform output -json`.

    They are in the output `platform` of an environment, or in an output `feature_groups` with the module's value.
    Raises UserError with the name of `source` if neither exists or one is not valid.
    """
    for name in ("platform", "feature_groups"):
        output = outputs.get(name)
        if isinstance(output, Mapping) and "value" in output:
            value = output["value"] if name == "platform" else {"feature_groups": output["value"]}
            return validate(value, _Output, f"{source}: output {name}").feature_groups
    raise UserError(
        f"{source}: there is no output `platform` or `feature_groups`; declare feature_groups of the "
        "feature_store module as an output, and apply"
    )


def select_groups(groups: Mapping[str, DeclaredFeatureGroup], keys: list[str]) -> dict[str, DeclaredFeatureGroup]:
    """Return the groups with these keys, or all groups. Raises UserError for an unknown key."""
    for key in keys:
        if key not in groups:
            raise UserError(f"there is no declared feature group '{key}'{did_you_mean(key, groups)}")
    return {key: group for key, group in groups.items() if not keys or key in keys}


def find_missing_features(group: DeclaredFeatureGroup, sagemaker: Client) -> Evolution:
    """Return the missing features of a group. Raises UserError if a type differs or a feature is not declared."""
    actual = _list_features(group.name, sagemaker)
    for name, kind in sorted(actual.items()):
        declared_type = group.features.get(name)
        if declared_type is None:
            raise UserError(
                f"{group.name}: feature '{name}' is no longer declared, and SageMaker cannot remove it; "
                f"declare it again, as {kind}"
            )
        if declared_type != kind:
            raise UserError(
                f"{group.name}: feature '{name}' is {kind} and cannot become {declared_type}; "
                "declare it with its type, and add a feature with another name"
            )
    return Evolution(group.name, {name: kind for name, kind in group.features.items() if name not in actual})


def add_features(evolution: Evolution, sagemaker: Client, sleep: Callable[[float], None] = time.sleep) -> None:
    """Add the features and wait until they can be written. Raises UserError with SageMaker's reason on a failure."""
    definitions = evolution.build_definitions()
    for start in range(0, len(definitions), MAX_ADDITIONS):
        with translate_aws_errors(f"{evolution.group}: adding features"):
            sagemaker.update_feature_group(
                FeatureGroupName=evolution.group, FeatureAdditions=definitions[start : start + MAX_ADDITIONS]
            )
        _wait_for_update(evolution.group, sagemaker, sleep)


def _wait_for_update(group: str, sagemaker: Client, sleep: Callable[[float], None]) -> None:
    waited = 0.0
    while True:
        update = _describe_group(group, sagemaker).get("LastUpdateStatus", {})
        if update.get("Status") == "Successful":
            return
        if update.get("Status") == "Failed":
            raise UserError(
                f"{group}: SageMaker could not add the features: {update.get('FailureReason', '')}; correct the "
                "declaration, and run the command again"
            )
        if waited >= _LONGEST:
            raise UserError(f"{group}: the update did not finish within {_LONGEST:.0f} s; run the command again later")
        sleep(_PAUSE)
        waited += _PAUSE


def _list_features(group: str, sagemaker: Client) -> dict[str, str]:
    features: dict[str, str] = {}
    page: dict[str, str] = {}
    while True:
        description = _describe_group(group, sagemaker, **page)
        if description["FeatureGroupStatus"] != "Created":
            raise UserError(
                f"{group}: the feature group is {description['FeatureGroupStatus']}; wait until it is Created, and run "
                "the command again"
            )
        features |= {item["FeatureName"]: item["FeatureType"] for item in description["FeatureDefinitions"]}
        if not description.get("NextToken"):
            return features
        page = {"NextToken": description["NextToken"]}


def _describe_group(group: str, sagemaker: Client, **page: str) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    with translate_aws_errors(f"{group}: reading the feature group"):
        try:
            description: dict[str, Any] = sagemaker.describe_feature_group(FeatureGroupName=group, **page)
        except ClientError as error:
            if read_error_code(error) == "ResourceNotFound":
                raise UserError(f"{group}: there is no such feature group; apply first") from None
            raise
    return description
