"""Effects outside a plan: commands that it runs, and manual changes that it accepts."""

import copy
import json
from typing import Any

from tests.plan.plan_builder import build_change, build_configuration, build_document
from tests.plan.test_commands import INVOKED
from tests.plan.test_load import FIXTURES
from tests.review.missed_cases.case import Case


def _build_provisioned(kind: str, expressions: dict[str, Any], actions: list[str] | None = None) -> dict[str, Any]:
    before = None if actions is None else {"id": "x"}
    entry = build_change(
        "terraform_data.setup", None if actions == ["delete"] else {"id": "x"}, before=before, actions=actions
    )
    files = {name: {"constant_value": value} for name, value in expressions.items()}
    root = {
        "resources": [
            {**build_configuration("terraform_data.setup"), "provisioners": [{"type": kind, "expressions": files}]}
        ]
    }
    return build_document(entry, root=root)


def _load_real_plan(name: str, *addresses: str) -> dict[str, Any]:
    """Return a real plan with the drift of only these resources."""
    whole: dict[str, Any] = copy.deepcopy(json.loads((FIXTURES / f"{name}.json").read_bytes()))
    whole["resource_drift"] = [entry for entry in whole["resource_drift"] if entry["address"] in addresses]
    for entry in whole.get("resource_changes", []):
        entry["change"] |= {"actions": ["no-op"], "before": entry["change"]["after"]}
    return whole


def _build_open_group() -> dict[str, Any]:
    """Return a plan with a group without configured rules, which accepts any port opened by hand."""
    rule = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}
    old, new = ({"name": "g", "ingress": rules} for rules in ([], [rule]))
    root = {"resources": [build_configuration("aws_security_group.g", name={"constant_value": "g"})]}
    drift = build_change("aws_security_group.g", new, before=old)
    return build_document(build_change("aws_security_group.g", new, before=new), root=root, resource_drift=[drift])


_EXTERNAL = build_change(
    "data.external.e", {"program": ["python", "lookup.py"]}, before={"program": []}, actions=["no-op"]
)
_DEFERRED = {"reason": "deferred_prereq", "action_invocation": INVOKED}

CASES = {
    "a command here when something is made": Case(
        _build_provisioned("local-exec", {"command": "aws s3 rb s3://models"}), "look", "aws s3 rb s3://models"
    ),
    "a command there when something is replaced": Case(
        _build_provisioned("remote-exec", {"inline": ["sudo rm /data"]}, ["delete", "create"]), "look", "sudo rm /data"
    ),
    "a file that is copied": Case(
        _build_provisioned("file", {"source": "key.pem", "destination": "/home"}), "look", "key.pem"
    ),
    "a command when something is destroyed": Case(
        _build_provisioned("local-exec", {"command": "echo bye"}, ["delete"]), "look", "echo bye"
    ),
    "a program that is read from": Case(build_document(_EXTERNAL), "look", "lookup.py"),
    "an action of Terraform 1.14, by hand": Case(
        build_document(action_invocations=[INVOKED]), "look", "aws_lambda_invoke"
    ),
    "an action that is deferred, by hand": Case(
        build_document(deferred_action_invocations=[_DEFERRED]), "look", "aws_lambda_invoke"
    ),
    "a trust policy that was changed by hand, taken into the state": Case(
        _load_real_plan("refresh_only", "aws_iam_role.r"), "stop", "everyone"
    ),
    "an inline policy that was changed by hand, taken into the state": Case(
        _load_real_plan("refresh_only", "aws_iam_role_policy.p"), "stop", "new action"
    ),
    "versioning that was suspended by hand, taken into the state": Case(
        _load_real_plan("refresh_only", "aws_s3_bucket_versioning.b"), "stop", "Enabled → Suspended"
    ),
    "a trust policy that was changed by hand, ignored": Case(
        _load_real_plan("drift", "aws_iam_role.r"), "stop", "everyone"
    ),
    "a port that was opened by hand, computed": Case(_build_open_group(), "stop", "the whole internet"),
}
