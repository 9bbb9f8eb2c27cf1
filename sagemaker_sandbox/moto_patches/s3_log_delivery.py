"""Access logs: moto crashes on a log bucket's policy with `Principal: "*"`, and knows a grant to log delivery only by
its exact resource, not by a prefix above the logs'.
"""

import fnmatch
import json
from typing import Any

from moto.s3.models import LOGGING_SERVICE_PRINCIPAL, FakeBucket


def apply() -> None:
    """Let a policy grant log delivery by any resource that matches where the logs go."""

    def enabled(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
        statements = _listed(json.loads(target_bucket.policy or '{"Statement": []}')["Statement"])
        log = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}/{target_prefix or ''}log"
        return any(_grants(statement, log) for statement in statements)

    FakeBucket._log_permissions_enabled_policy = staticmethod(enabled)


def _grants(statement: dict[str, Any], log: str) -> bool:
    principal = statement.get("Principal")
    services = _listed(principal.get("Service", [])) if isinstance(principal, dict) else []
    return (
        statement["Effect"] == "Allow"
        and LOGGING_SERVICE_PRINCIPAL in services
        and "s3:PutObject" in _listed(statement.get("Action", []))
        and any(fnmatch.fnmatchcase(log, resource) for resource in _listed(statement.get("Resource", [])))
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
