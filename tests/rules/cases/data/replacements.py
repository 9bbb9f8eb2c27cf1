"""Cases of rules/data/replacements.py."""

from collections.abc import Sequence
from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase

GROUP = "aws_sagemaker_model_package_group.g"
FEATURES = "aws_sagemaker_feature_group.f"
DOMAIN = "aws_sagemaker_domain.d"
TRACKING = "aws_sagemaker_mlflow_tracking_server.t"


def edited(address: str, *attributes: str, action: str = "replace", **more: Any) -> RuleCase:
    """Return a change of these attributes."""
    paths: Sequence[Sequence[str | int]] = [[attribute] for attribute in attributes]
    return RuleCase(
        {address: {**dict.fromkeys(attributes, "new"), **more}}, {address: action}, replaces={address: paths}
    )


CASES: CaseTable = {
    "SUS_EDIT_DELETES_DATA": {
        "pass": {"an update": edited(GROUP, action="update", model_package_group_name="g")},
        "fail": {
            "a description of a package group": edited(GROUP, "model_package_group_description"),
            "a description of a feature group": edited(FEATURES, "description"),
            "a role and a description": edited(FEATURES, "description", "role_arn"),
            "a retention policy": edited(DOMAIN, "retention_policy"),
            "a version of MLflow": edited(TRACKING, "mlflow_version"),
        },
        "unknown": "the plan says what forces a replacement",
        "not_applicable": {
            "another name": edited(GROUP, "model_package_group_name", "model_package_group_description"),
            "asked for": RuleCase({GROUP: {"model_package_group_name": "g"}}, {GROUP: "replace"}),
            "new": {GROUP: {"model_package_group_name": "g"}},
        },
    },
}
