"""Cases of rules/names.py."""

from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase
from tests.rules.jobs import UNKNOWN

FIRST, SECOND = 'aws_sagemaker_model.m["a"]', 'aws_sagemaker_model.m["b"]'


def two(kind: str, first: dict[str, Any], second: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return two resources of a type."""
    return {f"{kind}.a": first, f"{kind}.b": second}


MODELS = two("aws_sagemaker_model", {"name": "delay"}, {"name": "delay"})

CASES: CaseTable = {
    "SUS_NAME_TAKEN": {
        "pass": "nothing is said of names that are not taken",
        "fail": {
            "two models": MODELS,
            "one is there": RuleCase(MODELS, {"aws_sagemaker_model.a": "no-op"}),
            "two roles": two("aws_iam_role", {"name": "r"}, {"name": "r"}),
            "two buckets": two("aws_s3_bucket", {"bucket": "data"}, {"bucket": "data"}),
            "two groups of a VPC": two(
                "aws_security_group", {"name": "g", "vpc_id": "vpc-1"}, {"name": "g", "vpc_id": "vpc-1"}
            ),
            "two roles, wherever": RuleCase(two("aws_iam_role", {"name": "r"}, {"name": "r"}), region=""),
        },
        "unknown": "a name that is not known is compared with nothing",
        "not_applicable": {
            "other names": two("aws_sagemaker_model", {"name": "delay"}, {"name": "fare"}),
            "names that the provider makes": two("aws_sagemaker_model", {"name": UNKNOWN}, {"name": UNKNOWN}),
            "other types": {"aws_sagemaker_model.m": {"name": "d"}, "aws_sagemaker_endpoint.e": {"name": "d"}},
            "other VPCs": two("aws_security_group", {"name": "g", "vpc_id": "vpc-1"}, {"name": "g", "vpc_id": "vpc-2"}),
            "a VPC known after apply": two(
                "aws_security_group", {"name": "g", "vpc_id": UNKNOWN}, {"name": "g", "vpc_id": UNKNOWN}
            ),
            "other Regions": two("aws_sagemaker_model", {"name": "d", "region": "eu-west-1"}, {"name": "d"}),
            "a Region that is not known": RuleCase(MODELS, region=""),
            "both are there": RuleCase(MODELS, dict.fromkeys(MODELS, "no-op")),
            "one goes": RuleCase(MODELS, {"aws_sagemaker_model.a": "delete"}),
        },
    },
}
