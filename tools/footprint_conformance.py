"""Published results of other tools, and what this model makes of them.

Each case of `catalogue/conformance.csv` is computed twice by this model: with the constants of the tool that published
it, which must give the tool's own answer, and with ours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sustainable_mlops.catalogue import prices
from sustainable_mlops.catalogue.instances import Accelerator, InstanceType, ServerPlatform
from sustainable_mlops.catalogue.tables import read_rows
from sustainable_mlops.footprint.activities import ONE, ZERO, FleetActivity
from sustainable_mlops.footprint.calculation import Calculation, GridLocation
from sustainable_mlops.footprint.coefficients import Coefficients, Curve
from sustainable_mlops.footprint.figures import FootprintEstimate
from sustainable_mlops.footprint.machines import calculate_fleet
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import Quantity, exact_quantity

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A published result, reproduced and compared."""

    id: str
    case: str
    unit: str
    source: str
    expected: Values
    #: By this model with the publisher's constants.
    reproduced: Values
    #: By this model with its own constants.
    ours: Values


def cases() -> Iterator[Case]:
    """Every case of `catalogue/conformance.csv`."""
    for row in read_rows("conformance"):
        reproduce, ours = _CASES[row["id"]]
        yield Case(
            id=row["id"],
            case=row["case"],
            unit=row["unit"],
            source=row["source"],
            expected=tuple(float(value) for value in row["expected"].split(" / ")),
            reproduced=reproduce(),
            ours=ours(),
        )


def _with(
    cpu: Curve, ram_w_per_gb: float, lifetime_h: float = 35_040, server_kg: float = 0.0, included_gb: float = 0.0
) -> Coefficients:
    """Constants of a tool of Cloud Carbon Footprint's kind: watts a vCPU over load, constant watts a GB."""
    return replace(
        Coefficients.default(),
        cpu_ratio=cpu,
        board_ratio=0.0,
        ram_w_per_gb=((0.0, ram_w_per_gb), (1.0, ram_w_per_gb)),
        ram_included_gb=included_gb,
        host_model=ONE,
        lifetime_h=lifetime_h,
        server_kg=exact_quantity(server_kg),
        cpu_kg=ZERO,
        dram_kg_per_gb=ZERO,
        ssd_kg_per_tb=ZERO,
    )


def _place(pue: float, grid: float) -> GridLocation:
    return GridLocation(exact_quantity(pue), exact_quantity(grid), 0.0, ZERO, prices.REGION, frozenset(), ())


def _machine(vcpu: int, memory_gb: float, accelerator: Accelerator | None = None, number: int = 0) -> InstanceType:
    """A machine whose curve is in watts a vCPU."""
    platform = ServerPlatform("", "", sockets=1, tdp_w=vcpu, vcpu=vcpu, grade="A")
    return InstanceType("", platform, vcpu, memory_gb, 0.0, accelerator, number, frozenset())


def _gpu(idle_w: float, busy_w: float) -> Accelerator:
    idle, busy = (idle_w,) * 3, (busy_w,) * 3
    return Accelerator("", busy_w, idle, busy, busy, "A", (0.0,) * 3, "A")


def _run(
    instance: InstanceType, hours: float, load: float, place: GridLocation, coefficients: Coefficients
) -> FootprintEstimate:
    fleet = FleetActivity("", None, hours=exact_quantity(hours), duty=exact_quantity(load))
    calculation: Calculation = calculate_fleet(fleet, instance, None, place, coefficients)
    return calculation.compute_estimate()


def _central(found: FootprintEstimate, metric: str) -> float:
    figure = found.get(metric)
    assert figure is not None
    return figure.central


def _ccf(instance: InstanceType, hours: float, made_hours: float, grid_kg: float, coefficients: Coefficients) -> Values:
    """Cloud Carbon Footprint adds embodied carbon to the operational and books it as kWh of the grid too."""
    place = _place(1.135, grid_kg * 1000)
    used = _run(instance, hours, 0.5, place, coefficients)
    made = _central(_run(instance, made_hours, 0.5, place, coefficients), "embodied")
    kg = _central(used, "operational") + made
    return _central(used, "energy") + made / grid_kg, kg / 1000


#: Cloud Carbon Footprint's watts a vCPU and GB a chip of Skylake, Cascade Lake and "unknown", and watts of V100, A100.
_SKYLAKE: Curve = ((0.0, 0.65), (1.0, 4.26))
_CASCADE_LAKE: Curve = ((0.0, 0.64), (1.0, 3.97))
_AVERAGE: Curve = ((0.0, 0.74), (1.0, 3.5))


def _p3dn() -> Values:
    # Its hours of embodied carbon are divided by the vCPUs once more than they should be.
    coefficients = _with(_SKYLAKE, 0.392, server_kg=3542.9488, included_gb=81.32 / 96)
    return _ccf(_machine(96, 768, _gpu(35, 306), 8), 24, 24 / 96, 0.379069, _at_full_load(coefficients))


def _p4d() -> Values:
    coefficients = _with(_CASCADE_LAKE, 0.392, server_kg=4675.5184, included_gb=98.12 / 96)
    return _ccf(_machine(96, 1152, _gpu(46, 407), 8), 48, 48 / 96, 0.410608, _at_full_load(coefficients))


def _at_full_load(coefficients: Coefficients) -> Coefficients:
    """Cloud Carbon Footprint's 50 % are half of the time at full load, as its curves are straight."""
    ends = coefficients.cpu_ratio[0][1], coefficients.cpu_ratio[-1][1]
    # Our host is at the load of `host_load_when_busy` (0.5) while its accelerator is busy: there it must be at its top.
    return replace(coefficients, cpu_ratio=((0.0, ends[0]), (0.5, ends[1])))


def _m5_in_ccf() -> Values:
    # Its type is looked up with the `ml.` prefix, found nowhere, and taken as average without memory; the embodied
    # carbon is that of 4 of 96 vCPUs for 8 / 4 hours.
    coefficients = _with(_AVERAGE, 0.392, server_kg=1610.3792 * 4 / 96)
    return _ccf(_machine(1, 0), 8, 2, 0.410608, coefficients)


def _storage_in_ccf() -> Values:
    ours = Coefficients.default()
    return tuple(coefficient.central * 1.135 / 1000 for coefficient in (ours.ssd_wh_per_tbh, ours.hdd_wh_per_tbh))


def _carbonifer() -> Values:
    found = _run(_machine(2, 4), 1, 0.5, _place(1.16, 59), _with(((0.0, 0.716), (1.0, 4.266)), 0.3926))
    return _central(found, "energy") * 1000, _central(found, "operational") * 1000


def _greenops() -> Values:
    curve = ((0.0, 6.8 / 2), (1.0, 20.4 / 2))
    found = _run(_machine(2, 8), 730, 0.5, _place(1.13, 384.5), _with(curve, 0.392))
    return _central(found, "energy"), _central(found, "operational") * 1000


def _month(
    name: str, region: str, hours: float, metrics: tuple[tuple[str, float], ...], duty: Quantity | None = None
) -> Callable[[], Values]:
    def figures() -> Values:
        fleet = FleetActivity(name, region, hours=exact_quantity(hours), duty=duty or exact_quantity(0.5))
        found = estimate(fleet)
        return tuple(_central(found, metric) * factor for metric, factor in metrics)

    return figures


def _our_storage() -> Values:
    ours = Coefficients.default()
    return tuple(coefficient.central * 1.15 / 1000 for coefficient in (ours.ssd_wh_per_tbh, ours.hdd_wh_per_tbh))


_KWH_TONNES = (("energy", 1.0), ("total", 0.001))
#: How each case is computed: with the publisher's constants, and with ours.
_CASES: dict[str, tuple[Callable[[], Values], Callable[[], Values]]] = {
    "V13": (_p3dn, _month("ml.p3dn.24xlarge", "us-east-1", 24, _KWH_TONNES)),
    "V14": (_p4d, _month("ml.p4d.24xlarge", "us-east-2", 48, _KWH_TONNES)),
    "V15": (_m5_in_ccf, _month("ml.m5.xlarge", "us-east-2", 2, _KWH_TONNES)),
    "V16": (_storage_in_ccf, _our_storage),
    "V17": (_carbonifer, _month("ml.c5.large", "eu-west-3", 1, (("energy", 1000.0), ("operational", 1000.0)))),
    "V18": (_greenops, _month("ml.m5.large", "us-east-1", 730, (("energy", 1.0), ("operational", 1000.0)))),
}
