"""AWS Regions: carbon intensity of the grid, PUE and water."""

from typing import NamedTuple

from sustainable_mlops.base.errors import UserError, suggest
from sustainable_mlops.catalogue.tables import Grade, has_table, load_table, parse_float, parse_number, read_rows

#: Partitions by the start of their Regions' names; other Regions are in `aws`. Isolated and sovereign partitions are
#: missing: the modules know no DNS suffixes for them.
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
#: Minimum uncertainty of a yearly average, even if all sources agree.
_LEAST_SPREAD = 0.05


class CatalogueRegion(NamedTuple):
    """An AWS Region.

    Carbon intensities are life-cycle averages in gCO2e/kWh, each as (low, central, high) over the sources.
    """

    name: str
    location: str
    grid: tuple[float, float, float]
    grid_source: str
    grid_grade: Grade
    #: 0 if AWS claims that its energy purchases match the usage of the Region, else None.
    market_based: float | None
    pue: float
    #: False if AWS publishes no PUE for the Region; `pue` is then the average of its fleet.
    is_pue_published: bool
    #: Evaporated liters per kWh of the hardware; None if AWS publishes no figure.
    water_l_per_kwh: float | None
    #: True if AWS lists SageMaker Serverless Inference for the Region.
    has_serverless: bool


def find_partition(region: str) -> str:
    """Return the partition of a Region."""
    return next((name for start, name in PARTITIONS.items() if region.startswith(start)), "aws")


def find(name: str) -> CatalogueRegion | None:
    """Return the Region `name` (`eu-north-1`), or None if the catalogue does not contain it."""
    return load_all().get(name)


def require(name: str) -> CatalogueRegion:
    """Return the Region of the option --region. Raises UserError if the catalogue does not contain it."""
    region = find(name)
    if region is None:
        hint = suggest(name, load_all()) or "; use for example eu-north-1"
        raise UserError(f"--region: the catalogue has no Region {name}{hint}")
    return region


@load_table
def load_all() -> dict[str, CatalogueRegion]:
    """Return every known Region by name.

    The central intensity is that of Electricity Maps for the newest year, the only source with zones within a country.
    Without its file (ODbL) it is that of Ember for the country. Low and high cover all sources and years.
    """
    zones = (
        {row["region"]: row for row in read_rows("regions_electricity_maps")}
        if has_table("regions_electricity_maps")
        else {}
    )
    return {row["region"]: _make_region(row, zones.get(row["region"])) for row in read_rows("regions")}


def _make_region(row: dict[str, str], zone: dict[str, str] | None) -> CatalogueRegion:
    years = ("2025", "2024", "2023")
    by_zone = [value for year in years if zone and (value := parse_number(zone[f"g_per_kwh_{year}"])) is not None]
    by_country = [value for key in ("ember_2025", "ember_2024") if (value := parse_number(row[key])) is not None]
    state = parse_number(row["egrid_2023"])
    values = by_zone + by_country + ([] if state is None else [state])
    central = values[0]
    return CatalogueRegion(
        name=row["region"],
        location=row["location"],
        grid=(
            min(*values, central * (1 - _LEAST_SPREAD)),
            central,
            max(*values, central * (1 + _LEAST_SPREAD)),
        ),
        grid_source=f"Electricity Maps, zone {zone['zone']}" if zone and by_zone else f"Ember, {row['country']}",
        grid_grade="B",
        market_based=parse_number(row["market_based"]),
        pue=parse_float(row["pue"]),
        is_pue_published=row["pue_published"] == "yes",
        water_l_per_kwh=parse_number(row["wue_l_per_kwh"]),
        has_serverless=row["serverless"] == "yes",
    )
