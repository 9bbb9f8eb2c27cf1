"""Documents of AWS managed policies: `managed_policies.csv`. AWS may have changed them since."""

from functools import cache
from typing import NamedTuple

from sustainable_mlops.catalogue.tables import read_rows

_PREFIX = "arn:aws:iam::aws:policy/"


class ManagedPolicyText(NamedTuple):
    """An AWS managed policy: its name, the date of its last change, and its document as JSON."""

    name: str
    updated: str
    document: str


def find_managed_policy(arn: str) -> ManagedPolicyText | None:
    """Return the AWS managed policy with this ARN, or None if the catalogue does not have it."""
    return _load_policies().get(arn.removeprefix(_PREFIX)) if arn.startswith(_PREFIX) else None


@cache
def _load_policies() -> dict[str, ManagedPolicyText]:
    return {
        row["policy"]: ManagedPolicyText(row["policy"].rpartition("/")[2], row["updated"], row["document"])
        for row in read_rows("managed_policies")
    }
