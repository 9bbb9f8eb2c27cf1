"""Default quotas of an AWS account for the resources of an environment: `quotas.csv`.

A default applies to a new account. AWS may set a lower value, and a request through Service Quotas raises it.
"""

from dataclasses import dataclass, replace
from typing import Literal, cast

from sustainable_mlops.catalogue.tables import load_table, read_rows

#: Kind of resource that uses up a quota.
QuotaUse = Literal[
    "endpoint",
    "pipeline",
    "processing",
    "scaling",
    "serverless_endpoint",
    "spot_training",
    "training",
    "transform",
]

#: Name of the quota on the concurrency that all serverless endpoints of an account and Region share.
SERVERLESS_CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
_INSTANCE_TYPE = "{instance_type}"


@dataclass(frozen=True)
class Quota:
    """One quota of an account in a Region."""

    service: str
    #: Quota code; empty if no public source has it. Service Quotas then lists the quota by its name.
    code: str
    name: str
    #: Default value; None if no public source has it.
    default: int | None
    unit: str
    applies_to: QuotaUse


@load_table
def load_quotas() -> dict[str, Quota]:
    """Return the quotas by name; a name with `{instance_type}` represents all types without a row of their own."""
    return {
        row["name"]: Quota(
            row["service"],
            row["quota_code"],
            row["name"],
            int(row["default"]) if row["default"] else None,
            row["unit"],
            cast("QuotaUse", row["applies_to"]),
        )
        for row in read_rows("quotas")
    }


def find_instance_quota(instance_type: str, use: QuotaUse) -> Quota:
    """Return the quota on the instances of `instance_type` that run for `use`."""
    template = next(each for each in load_quotas().values() if each.applies_to == use and _INSTANCE_TYPE in each.name)
    name = template.name.replace(_INSTANCE_TYPE, instance_type)
    return load_quotas().get(name) or replace(template, name=name)


def find_serverless_concurrency() -> Quota:
    """Return the quota on the concurrency that all serverless endpoints share."""
    return load_quotas()[SERVERLESS_CONCURRENCY]
