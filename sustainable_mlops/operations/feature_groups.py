"""Add declared features to feature groups that exist.

Terraform's provider could only replace the group, and lose its data, so the feature_store module leaves it to this.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from sustainable_mlops.aws import Client, read_error_code, translate_aws_errors
from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.settings import validate

#: Most features that one UpdateFeatureGroup adds. Source: FeatureAdditions in the SageMaker API reference.
MOST_AT_ONCE = 100
_PAUSE = 2.0  # seconds between two looks at an update
_LONGEST = 600.0  # seconds; an update takes about a minute


class Declared(BaseModel):
    """A feature group as the feature_store module's output declares it."""

    name: str
    arn: str
    features: dict[str, Literal["Integral", "Fractional", "String"]]

    @property
    def region(self) -> str:
        """The Region that it is in."""
        return self.arn.split(":")[3]


class _Output(BaseModel):
    feature_groups: dict[str, Declared]


@dataclass(frozen=True)
class Evolution:
    """What one feature group lacks: feature name to type. Empty where it is as declared."""

    group: str
    additions: dict[str, str]

    def definitions(self) -> list[dict[str, str]]:
        """The additions as the API takes them."""
        return [{"FeatureName": name, "FeatureType": kind} for name, kind in sorted(self.additions.items())]


def declared(outputs: Mapping[str, Any], source: str) -> dict[str, Declared]:
    """The declared groups by key, from what `terraform output -json` prints.

    They are in the output `platform` of an environment, or in an output `feature_groups` that passes the module's on.
    Raises UserError naming `source` where neither is there or one is not as the module writes it.
    """
    for name in ("platform", "feature_groups"):
        output = outputs.get(name)
        if isinstance(output, Mapping) and "value" in output:
            value = output["value"] if name == "platform" else {"feature_groups": output["value"]}
            return validate(value, _Output, f"{source}: output {name}").feature_groups
    raise UserError(
        f"{source}: there is no output `platform` or `feature_groups`; pass the feature_store module's "
        "feature_groups on as an output, and apply"
    )


def choose(groups: Mapping[str, Declared], keys: list[str]) -> dict[str, Declared]:
    """The groups of these keys, all where none is given. Raises UserError on an unknown key."""
    for key in keys:
        if key not in groups:
            raise UserError(f"no feature group is declared as '{key}'{did_you_mean(key, groups)}")
    return {key: group for key, group in groups.items() if not keys or key in keys}


def compare(group: Declared, sagemaker: Client) -> Evolution:
    """What the real group lacks. Raises UserError where a declared type differs or a real feature is not declared."""
    actual = _features(group.name, sagemaker)
    for name, kind in sorted(actual.items()):
        wanted = group.features.get(name)
        if wanted is None:
            raise UserError(
                f"{group.name}: feature '{name}' is no longer declared, and SageMaker removes none; "
                f"declare it again, as {kind}"
            )
        if wanted != kind:
            raise UserError(
                f"{group.name}: feature '{name}' is {kind} and cannot become {wanted}; "
                "declare it as it is, and add one of another name"
            )
    return Evolution(group.name, {name: kind for name, kind in group.features.items() if name not in actual})


def apply(evolution: Evolution, sagemaker: Client, sleep: Callable[[float], None] = time.sleep) -> None:
    """Add the features and wait until they can be written. Raises UserError with SageMaker's reason on a failure."""
    definitions = evolution.definitions()
    for start in range(0, len(definitions), MOST_AT_ONCE):
        with translate_aws_errors(f"{evolution.group}: adding features"):
            sagemaker.update_feature_group(
                FeatureGroupName=evolution.group, FeatureAdditions=definitions[start : start + MOST_AT_ONCE]
            )
        _wait(evolution.group, sagemaker, sleep)


def _wait(group: str, sagemaker: Client, sleep: Callable[[float], None]) -> None:
    waited = 0.0
    while True:
        update = _describe(group, sagemaker).get("LastUpdateStatus", {})
        if update.get("Status") == "Successful":
            return
        if update.get("Status") == "Failed":
            raise UserError(f"{group}: SageMaker could not add the features: {update.get('FailureReason', '')}")
        if waited >= _LONGEST:
            raise UserError(f"{group}: the update is not done after {_LONGEST:.0f} s; run this again later to see")
        sleep(_PAUSE)
        waited += _PAUSE


def _features(group: str, sagemaker: Client) -> dict[str, str]:
    features: dict[str, str] = {}
    page: dict[str, str] = {}
    while True:
        description = _describe(group, sagemaker, **page)
        if description["FeatureGroupStatus"] != "Created":
            raise UserError(f"{group}: the feature group is {description['FeatureGroupStatus']}; it has to be Created")
        features |= {item["FeatureName"]: item["FeatureType"] for item in description["FeatureDefinitions"]}
        if not description.get("NextToken"):
            return features
        page = {"NextToken": description["NextToken"]}


def _describe(group: str, sagemaker: Client, **page: str) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    with translate_aws_errors(f"{group}: reading the feature group"):
        try:
            description: dict[str, Any] = sagemaker.describe_feature_group(FeatureGroupName=group, **page)
        except ClientError as error:
            if read_error_code(error) == "ResourceNotFound":
                raise UserError(f"{group}: there is no such feature group; apply first") from None
            raise
    return description
