"""Where energy is used: the Region's grid."""

from sustainable_mlops.catalogue import regions
from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.jobs import TRAINS
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

#: gCO2e/kWh above which another Region is worth a thought: a choice of this project. A third of the Regions are below.
MOST_INTENSE = 300

#: Continents by the start of a Region's name.
_CONTINENTS = {"us": "na", "ca": "na", "mx": "na"}


@rule(
    id="SUS_REGION_CARBON",
    severity=Severity.INFO,
    title="Machines run in a Region with a clean grid",
    practices=("4",),
    fix="Move what is not bound by data residency or latency to the cleaner Region; train there, serve here.",
    types=(*TRAINS, "aws_sagemaker_endpoint", "aws_sagemaker_notebook_instance", "aws_sagemaker_domain"),
)
def grid(plan: Plan, resource: Resource) -> Verdicts:
    """Advice, as residency and latency often decide: said of what runs machines only, by the average location-based
    intensity of the grid (catalogue/regions.csv and regions_electricity_maps.csv), by its low estimate."""
    name = plan.region(resource)
    region = None if name is UNKNOWN else regions.find(name)
    if name is UNKNOWN:
        yield unknown("the plan does not tell its Region", "region")
    elif region is None:
        yield unknown(f"the catalogue does not know the grid of {name}", "region")
    elif region.grid[0] <= MOST_INTENSE:
        yield passed()
    else:
        yield failed(f"{name}: {region.grid[1]:.0f} gCO2e/kWh; {_cleaner(name)}", "region")


def _cleaner(name: str) -> str:
    """The cleanest Region of the same continent, else of all."""
    every = regions.everything().values()
    near = [region for region in every if _continent(region.name) == _continent(name)]
    best = min(near, key=lambda region: region.grid[1])
    if best.grid[1] > MOST_INTENSE:
        best = min(every, key=lambda region: region.grid[1])
    return f"{best.name} has {best.grid[1]:.0f}"


def _continent(name: str) -> str:
    start = name.split("-")[0]
    return _CONTINENTS.get(start, start)
