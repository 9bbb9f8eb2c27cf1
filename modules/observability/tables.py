"""What the module knows of machines, of places, and by these of each endpoint's variants."""

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
    """Add the locals that alarms and dashboard go through."""
    region = module.var.region
    variants = _variants(module)
    machines = module.local(
        "machines",
        map_of(_rows("machines"), lambda row: row, key=lambda row: row.type),
        why="What an hour of each type of instance takes, and of a GB of a serverless worker.",
    )
    here = list_of(_rows("regions"), lambda row: row, where=lambda row: row.region == region)
    place = module.local("place", one_or_null(here))
    module.local(
        "prices",
        map_of(_rows("prices"), lambda row: try_(row[region], None), key=lambda row: row.family),
        why="What a family costs here, of its price in us-east-1.",
    )
    machine = module.local("machine", map_of(variants, lambda variant: get(machines, _type(variant), None)))
    unknown = module.local(
        "unknown", list_of(machine, lambda key, _machine: key, where=lambda machine: is_null(machine) | is_null(place))
    )
    module.check(
        "machines_are_known",
        length(unknown) == 0,
        f"The catalogue knows no {when(is_null(place), region, join(', ', unknown))}: kg CO2e and USD are lacking, "
        "and of instances that it does not know alarms of CPUs and GPUs.",
    )


def _rows(table: str) -> list[Any]:
    """The rows of one of the tables that lie beside the HCL."""
    return csvdecode(file(f"{path.module}/{table}.csv"), factors.table_columns()[table])


def _type(variant: Any) -> Any:
    """Of its machine, in the tables."""
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
        why="Metrics are of a variant; mostly there is one.",
    )
