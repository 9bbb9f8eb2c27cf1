"""Tables of instance types, Regions and prices, and the variants of all endpoints."""

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
    variants = _add_variants(module)
    instance_factors = module.local(
        "instance_factors",
        map_of(_read_rows("instance_types"), lambda row: row, key=lambda row: row.type),
        why="Factors of one hour of each instance type, and of one GB of a serverless worker.",
    )
    here = list_of(_read_rows("regions"), lambda row: row, where=lambda row: row.region == region)
    region_factors = module.local("region_factors", one_or_null(here))
    module.local(
        "prices",
        map_of(_read_rows("prices"), lambda row: try_(row[region], None), key=lambda row: row.family),
        why="Price of a family in this Region, relative to us-east-1.",
    )
    variant_factors = module.local(
        "variant_factors",
        map_of(variants, lambda variant: get(instance_factors, _get_row_key(variant), None)),
        why="Row of the instance type of each variant; null if the catalogue does not have it.",
    )
    unknown = module.local(
        "unknown",
        list_of(
            variant_factors,
            lambda key, _row: key,
            where=lambda row: is_null(row) | is_null(region_factors),
        ),
    )
    module.check(
        "instance_types_are_known",
        length(unknown) == 0,
        f"The catalogue does not know {when(is_null(region_factors), region, join(', ', unknown))}: the dashboard "
        "shows no kgCO2e and USD for it. Unknown instances have no alarms on CPUs and GPUs.",
    )


def _read_rows(table: str) -> list[Any]:
    """Return the rows of a table next to the HCL."""
    return csvdecode(file(f"{path.module}/{table}.csv"), factors.list_table_columns()[table])


def _get_row_key(variant: Any) -> Any:
    """Return the key of the row of a variant's instance type."""
    return when(variant.kind == alarm_catalogue.SERVERLESS, factors.SERVERLESS, variant.instance_type)


def _add_variants(module: Module[Inputs]) -> Any:
    def list_endpoint_variants(key: str, endpoint: Any) -> dict[str, Any]:
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
        merge_all(list_of(module.var.endpoints, list_endpoint_variants)),
        why="Metrics belong to a variant; most endpoints have one.",
    )
