"""Cases of rules/names.py."""

from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase
from tests.rules.jobs import UNKNOWN


def build_two(kind: str, first: dict[str, Any], second: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return two resources of a type."""
    return {f"{kind}.a": first, f"{kind}.b": second}


MODELS = build_two("aws_sagemaker_model", {"name": "delay"}, {"name": "delay"})

CASES: CaseTable = {
    "SUS_NAME_TAKEN": {
        "pass": "the rule does not apply to unique names",
        "fail": {
            "two models": MODELS,
            "one exists already": RuleCase(MODELS, {"aws_sagemaker_model.a": "no-op"}),
            "two roles": build_two("aws_iam_role", {"name": "r"}, {"name": "r"}),
            "two buckets": build_two("aws_s3_bucket", {"bucket": "data"}, {"bucket": "data"}),
            "two groups in one VPC": build_two(
                "aws_security_group", {"name": "g", "vpc_id": "vpc-1"}, {"name": "g", "vpc_id": "vpc-1"}
            ),
            "two roles in different Regions": RuleCase(
                build_two("aws_iam_role", {"name": "r"}, {"name": "r"}), region=""
            ),
        },
        "unknown": "unknown names are not compared",
        "not_applicable": {
            "other names": build_two("aws_sagemaker_model", {"name": "delay"}, {"name": "fare"}),
            "generated names": build_two("aws_sagemaker_model", {"name": UNKNOWN}, {"name": UNKNOWN}),
            "other types": {"aws_sagemaker_model.m": {"name": "d"}, "aws_sagemaker_endpoint.e": {"name": "d"}},
            "other VPCs": build_two(
                "aws_security_group", {"name": "g", "vpc_id": "vpc-1"}, {"name": "g", "vpc_id": "vpc-2"}
            ),
            "a VPC known after apply": build_two(
                "aws_security_group", {"name": "g", "vpc_id": UNKNOWN}, {"name": "g", "vpc_id": UNKNOWN}
            ),
            "other Regions": build_two("aws_sagemaker_model", {"name": "d", "region": "eu-west-1"}, {"name": "d"}),
            "a Region that is not known": RuleCase(MODELS, region=""),
            "both are there": RuleCase(MODELS, dict.fromkeys(MODELS, "no-op")),
            "one goes": RuleCase(MODELS, {"aws_sagemaker_model.a": "delete"}),
        },
    }
}
