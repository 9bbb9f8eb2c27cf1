"""S3 access logs: moto fails for a log bucket's policy with `Principal: "*"`.

It accepts a grant to log delivery only for the exact resource, not for a prefix above it.
"""

import fnmatch
import json
from typing import Any

from moto.s3.models import LOGGING_SERVICE_PRINCIPAL, FakeBucket


def apply() -> None:
    """Accept a policy that grants log delivery by any resource that matches the target of the logs."""

    def is_delivery_allowed(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
        statements = _as_list(json.loads(target_bucket.policy or '{"Statement": []}')["Statement"])
        log = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}/{target_prefix or ''}log"
        return any(_grants(statement, log) for statement in statements)

    FakeBucket._log_permissions_enabled_policy = staticmethod(is_delivery_allowed)


def _grants(statement: dict[str, Any], log: str) -> bool:
    principal = statement.get("Principal")
    services = _as_list(principal.get("Service", [])) if isinstance(principal, dict) else []
    return (
        statement["Effect"] == "Allow"
        and LOGGING_SERVICE_PRINCIPAL in services
        and "s3:PutObject" in _as_list(statement.get("Action", []))
        and any(fnmatch.fnmatchcase(log, resource) for resource in _as_list(statement.get("Resource", [])))
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
