"""Plans with stores of data, and their risks."""

from typing import Any

from sustainable_mlops.plan import Plan
from sustainable_mlops.review.attributes.risks import find_protection_risks
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data.risks import find_data_risks
from sustainable_mlops.review.deployment import find_deployment_risks
from sustainable_mlops.review.risk import Risk
from sustainable_mlops.review.safeguards.risks import find_safeguard_risks

BUCKET = {"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data", "force_destroy": False}
KEY = {"arn": "arn:aws:kms:eu-north-1:123456789012:key/1", "deletion_window_in_days": 30, "is_enabled": True}


def risks(plan: Plan) -> list[Risk]:
    comparison = Comparison(plan)
    return list_risks_of(comparison)


def list_risks_of(comparison: Comparison) -> list[Risk]:
    finders = find_data_risks, find_protection_risks, find_safeguard_risks, find_deployment_risks
    return [risk for find_risks in finders for risk in find_risks(comparison)]


def encrypted(algorithm: str) -> Any:
    return [{"apply_server_side_encryption_by_default": [{"sse_algorithm": algorithm}]}]
