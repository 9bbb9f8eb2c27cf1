"""Tables of machines, Regions and prices, and the variants of all endpoints."""

from typing import Any

from modules.endpoints.inputs import VARIANT
from modules.observability import alarm_catalogue, factors
from modules.observability.inputs import Inputs
from sustainable_mlops.authoring.expressions import (
    csvdecode,
    file,
    get,
    is_null,
    join,
    length,
    list_of,
    map_of,
    merge,
    merge_all,
    one_or_null,
    path,
    replace,
    try_,
    when,
)
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> None:
    """Add the locals for the alarms and the dashboard."""
    region = module.var.region
    variants = _variants(module)
    machines = module.local(
        "machines",
        map_of(_rows("machines"), lambda row: row, key=lambda row: row.type),
        why="Factors of one hour of each instance type, and of one GB of a serverless worker.",
    )
    here = list_of(_rows("regions"), lambda row: row, where=lambda row: row.region == region)
    place = module.local("place", one_or_null(here))
    module.local(
        "prices",
        map_of(_rows("prices"), lambda row: try_(row[region], None), key=lambda row: row.family),
        why="Price of a family in this Region, relative to us-east-1.",
    )
    machine = module.local("machine", map_of(variants, lambda variant: get(machines, _type(variant), None)))
    unknown = module.local(
        "unknown", list_of(machine, lambda key, _machine: key, where=lambda machine: is_null(machine) | is_null(place))
    )
    module.check(
        "machines_are_known",
        length(unknown) == 0,
        f"The catalogue does not know {when(is_null(place), region, join(', ', unknown))}: the dashboard has no kg "
        "CO2e and USD for it. Unknown instances have no alarms on CPUs and GPUs.",
    )


def _rows(table: str) -> list[Any]:
    """Return the rows of a table next to the HCL."""
    return csvdecode(file(f"{path.module}/{table}.csv"), factors.table_columns()[table])


def _type(variant: Any) -> Any:
    """Return the row key of a variant's machine."""
    return when(variant.kind == alarm_catalogue.SERVERLESS, factors.SERVERLESS, variant.instance_type)


def _variants(module: Module[Inputs]) -> Any:
    def of_endpoint(key: str, endpoint: Any) -> dict[str, Any]:
        return map_of(
            endpoint.variants,
            lambda variant: merge(
                endpoint,
                {
                    "endpoint": key,
                    "variant": variant,
                    "title": when(variant == VARIANT, endpoint.name, f"{endpoint.name}/{variant}"),
                },
            ),
            key=lambda variant: when(variant == VARIANT, key, f"{key}__{replace(variant, '-', '_')}"),
        )

    return module.local(
        "variants",
        merge_all(list_of(module.var.endpoints, of_endpoint)),
        why="Metrics belong to a variant; most endpoints have one.",
    )
