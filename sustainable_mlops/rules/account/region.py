"""The carbon intensity of the Region's grid."""

from sustainable_mlops.catalogue import regions
from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.jobs import TRAINING_TYPES
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result

#: Maximum intensity in gCO2e/kWh. A choice of this project: a third of the Regions are below.
MAX_INTENSITY = 300

#: Continents by the start of a Region's name.
_CONTINENTS = {"us": "na", "ca": "na", "mx": "na"}


@rule(
    id="SUS_REGION_CARBON",
    severity=Severity.INFO,
    title="Workloads should run in a Region with a low-carbon grid",
    problem="Workloads run in a Region with a high-carbon grid",
    practices=("4",),
    fix="Move workloads without data residency or latency limits to the cleaner Region: train there, serve here.",
    types=(*TRAINING_TYPES, "aws_sagemaker_endpoint", "aws_sagemaker_notebook_instance", "aws_sagemaker_domain"),
)
def region_carbon(plan: Plan, resource: Resource) -> RuleResults:
    """Check resources that run instances. This is advice, because residency and latency often decide.

    The rule uses the low estimate of the average location-based intensity of the grid (catalogue/regions.csv and
    regions_electricity_maps.csv).
    """
    name = plan.find_region(resource)
    region = None if name is UNKNOWN else regions.find(name)
    if name is UNKNOWN:
        yield unknown_result("the plan does not show the Region", "region")
    elif region is None:
        yield unknown_result(f"the catalogue does not know the grid of {name}", "region")
    elif region.grid[0] <= MAX_INTENSITY:
        yield success()
    else:
        yield failure(f"{name}: {region.grid[1]:.0f} gCO2e/kWh; {_describe_cleaner(name)}", "region")


def _describe_cleaner(name: str) -> str:
    """Describe the cleanest Region of the same continent, or of all Regions if that continent has no clean one."""
    every = regions.load_all().values()
    same_continent = [region for region in every if _find_continent(region.name) == _find_continent(name)]
    best = min(same_continent, key=lambda region: region.grid[1])
    if best.grid[1] > MAX_INTENSITY:
        best = min(every, key=lambda region: region.grid[1])
    return f"{best.name} has {best.grid[1]:.0f}"


def _find_continent(name: str) -> str:
    start = name.split("-")[0]
    return _CONTINENTS.get(start, start)
