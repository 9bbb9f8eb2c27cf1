"""Cases of rules/data/replacements.py."""

from collections.abc import Sequence
from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase

GROUP = "aws_sagemaker_model_package_group.g"
FEATURES = "aws_sagemaker_feature_group.f"
DOMAIN = "aws_sagemaker_domain.d"
TRACKING = "aws_sagemaker_mlflow_tracking_server.t"


def build_edit(address: str, *attributes: str, action: str = "replace", **more: Any) -> RuleCase:
    """Return a change of these attributes."""
    paths: Sequence[Sequence[str | int]] = [[attribute] for attribute in attributes]
    return RuleCase(
        {address: {**dict.fromkeys(attributes, "new"), **more}}, {address: action}, replaces={address: paths}
    )


CASES: CaseTable = {
    "SUS_EDIT_DELETES_DATA": {
        "pass": {"an update": build_edit(GROUP, action="update", model_package_group_name="g")},
        "fail": {
            "a description of a package group": build_edit(GROUP, "model_package_group_description"),
            "a description of a feature group": build_edit(FEATURES, "description"),
            "a role and a description": build_edit(FEATURES, "description", "role_arn"),
            "a retention policy": build_edit(DOMAIN, "retention_policy"),
            "a version of MLflow": build_edit(TRACKING, "mlflow_version"),
        },
        "unknown": "the plan always tells the reason of a replacement",
        "not_applicable": {
            "another name": build_edit(GROUP, "model_package_group_name", "model_package_group_description"),
            "a requested replacement": RuleCase({GROUP: {"model_package_group_name": "g"}}, {GROUP: "replace"}),
            "new": {GROUP: {"model_package_group_name": "g"}},
        },
    }
}
