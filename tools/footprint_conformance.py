"""Published results of other tools, reproduced by this model.

The model computes each case of `catalogue/conformance.csv` twice: with the constants of the publishing tool, which must
give the published result, and with its own constants.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sustainable_mlops.catalogue import prices
from sustainable_mlops.catalogue.instances import Accelerator, InstanceType, ServerPlatform
from sustainable_mlops.catalogue.tables import read_rows
from sustainable_mlops.footprint.activities import ONE, ZERO, FleetActivity
from sustainable_mlops.footprint.calculation import Calculation, GridLocation
from sustainable_mlops.footprint.coefficients import Coefficients, Curve
from sustainable_mlops.footprint.figures import FootprintEstimate
from sustainable_mlops.footprint.instance_calculations import calculate_fleet
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import make_exact

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ConformanceCase:
    """A published result, reproduced and compared."""

    id: str
    case: str
    unit: str
    source: str
    expected: Values
    #: Result of this model with the constants of the publisher.
    reproduced: Values
    #: Result of this model with its own constants.
    ours: Values


def list_cases() -> Iterator[ConformanceCase]:
    """Yield every case of `catalogue/conformance.csv`."""
    for row in read_rows("conformance"):
        reproduce, ours = _CASES[row["id"]]
        yield ConformanceCase(
            id=row["id"],
            case=row["case"],
            unit=row["unit"],
            source=row["source"],
            expected=tuple(float(value) for value in row["expected"].split(" / ")),
            reproduced=reproduce(),
            ours=ours(),
        )


def _make_coefficients(
    cpu: Curve,
    ram_w_per_gb: float,
    server_kg: float = 0.0,
    included_gb_per_vcpu: float = 0.0,
) -> Coefficients:
    """Return coefficients of a tool like Cloud Carbon Footprint: CPU watts per vCPU, constant memory watts per GB."""
    return Coefficients.get_current()._replace(
        cpu_ratio=cpu,
        board_ratio=0.0,
        ram_w_per_gb=((0.0, ram_w_per_gb), (1.0, ram_w_per_gb)),
        ram_included_gb=included_gb_per_vcpu,
        host_model=ONE,
        lifetime_h=35_040,
        server_kg=make_exact(server_kg),
        cpu_kg=ZERO,
        dram_kg_per_gb=ZERO,
        ssd_kg_per_tb=ZERO,
    )


def _make_location(pue: float, grid: float) -> GridLocation:
    return GridLocation(make_exact(pue), make_exact(grid), 0.0, ZERO, prices.REGION, frozenset(), ())


def _make_server(
    vcpu: int, memory_gb: float, accelerator: Accelerator | None = None, accelerator_count: int = 0
) -> InstanceType:
    """Return a server of 1 W TDP per vCPU, so that `cpu_ratio` is in watts per vCPU."""
    platform = ServerPlatform("", "", sockets=1, tdp_w=vcpu, vcpu=vcpu, grade="A")
    return InstanceType("", platform, vcpu, memory_gb, 0.0, accelerator, accelerator_count, frozenset())


def _make_gpu(idle_w: float, busy_w: float) -> Accelerator:
    idle, busy = (idle_w,) * 3, (busy_w,) * 3
    return Accelerator("", busy_w, idle, busy, busy, "A", (0.0,) * 3, "A")


def _estimate_run(
    instance: InstanceType, hours: float, load: float, location: GridLocation, coefficients: Coefficients
) -> FootprintEstimate:
    fleet = FleetActivity("", None, hours=make_exact(hours), duty=make_exact(load))
    calculation: Calculation = calculate_fleet(fleet, instance, None, location, coefficients)
    return calculation.compute_estimate()


def _get_central(estimate_result: FootprintEstimate, metric: str) -> float:
    figure = estimate_result.get(metric)
    assert figure is not None
    return figure.central


def _compute_ccf(
    instance: InstanceType, hours: float, embodied_hours: float, grid_kg: float, coefficients: Coefficients
) -> Values:
    """Return kWh and tonnes of CO2e as Cloud Carbon Footprint computes them.

    The tool adds embodied carbon and also converts it to kWh of the grid.
    """
    location = _make_location(1.135, grid_kg * 1000)
    operational_run = _estimate_run(instance, hours, 0.5, location, coefficients)
    embodied_kg = _get_central(_estimate_run(instance, embodied_hours, 0.5, location, coefficients), "embodied")
    kg = _get_central(operational_run, "operational") + embodied_kg
    return _get_central(operational_run, "energy") + embodied_kg / grid_kg, kg / 1000


#: Watts per vCPU of Skylake, Cascade Lake and "unknown" in Cloud Carbon Footprint.
_SKYLAKE: Curve = ((0.0, 0.65), (1.0, 4.26))
_CASCADE_LAKE: Curve = ((0.0, 0.64), (1.0, 3.97))
_AVERAGE: Curve = ((0.0, 0.74), (1.0, 3.5))


def _compute_p3dn() -> Values:
    # The tool divides the hours of embodied carbon by the vCPUs once too often.
    coefficients = _make_coefficients(_SKYLAKE, 0.392, server_kg=3542.9488, included_gb_per_vcpu=81.32 / 96)
    return _compute_ccf(
        _make_server(96, 768, _make_gpu(35, 306), 8), 24, 24 / 96, 0.379069, _use_full_power_when_busy(coefficients)
    )


def _compute_p4d() -> Values:
    coefficients = _make_coefficients(_CASCADE_LAKE, 0.392, server_kg=4675.5184, included_gb_per_vcpu=98.12 / 96)
    return _compute_ccf(
        _make_server(96, 1152, _make_gpu(46, 407), 8), 48, 48 / 96, 0.410608, _use_full_power_when_busy(coefficients)
    )


def _use_full_power_when_busy(coefficients: Coefficients) -> Coefficients:
    """Return coefficients whose CPU curve reaches full power at the load of a host with a busy accelerator.

    Half of the time at full load equals 50 % load in Cloud Carbon Footprint, because its curves are straight.
    """
    ends = coefficients.cpu_ratio[0][1], coefficients.cpu_ratio[-1][1]
    # Our host has the load `host_load_when_busy` (0.5) while its accelerator is busy: the curve must end there.
    return coefficients._replace(cpu_ratio=((0.0, ends[0]), (0.5, ends[1])))


def _compute_m5() -> Values:
    # The tool looks the type up with the `ml.` prefix, does not find it, and uses an average without memory. The
    # embodied carbon is that of 4 of 96 vCPUs for 8 / 4 hours.
    coefficients = _make_coefficients(_AVERAGE, 0.392, server_kg=1610.3792 * 4 / 96)
    return _compute_ccf(_make_server(1, 0), 8, 2, 0.410608, coefficients)


def _compute_ccf_storage() -> Values:
    """Return kWh per TB-hour of SSD and HDD: our coefficients with the PUE of Cloud Carbon Footprint."""
    ours = Coefficients.get_current()
    return tuple(coefficient.central * 1.135 / 1000 for coefficient in (ours.ssd_wh_per_tbh, ours.hdd_wh_per_tbh))


def _compute_carbonifer() -> Values:
    run = _estimate_run(
        _make_server(2, 4), 1, 0.5, _make_location(1.16, 59), _make_coefficients(((0.0, 0.716), (1.0, 4.266)), 0.3926)
    )
    return _get_central(run, "energy") * 1000, _get_central(run, "operational") * 1000


def _compute_greenops() -> Values:
    curve = ((0.0, 6.8 / 2), (1.0, 20.4 / 2))
    run = _estimate_run(_make_server(2, 8), 730, 0.5, _make_location(1.13, 384.5), _make_coefficients(curve, 0.392))
    return _get_central(run, "energy"), _get_central(run, "operational") * 1000


def _make_own_computation(
    name: str, region: str, hours: float, metrics: tuple[tuple[str, float], ...]
) -> Callable[[], Values]:
    """Return a function that computes a case with our own constants."""

    def compute_values() -> Values:
        fleet = FleetActivity(name, region, hours=make_exact(hours), duty=make_exact(0.5))
        result = estimate(fleet)
        return tuple(_get_central(result, metric) * factor for metric, factor in metrics)

    return compute_values


def _compute_our_storage() -> Values:
    ours = Coefficients.get_current()
    return tuple(coefficient.central * 1.15 / 1000 for coefficient in (ours.ssd_wh_per_tbh, ours.hdd_wh_per_tbh))


_KWH_TONNES = (("energy", 1.0), ("total", 0.001))
#: Computation of each case: with the constants of the publisher, and with ours.
_CASES: dict[str, tuple[Callable[[], Values], Callable[[], Values]]] = {
    "V13": (_compute_p3dn, _make_own_computation("ml.p3dn.24xlarge", "us-east-1", 24, _KWH_TONNES)),
    "V14": (_compute_p4d, _make_own_computation("ml.p4d.24xlarge", "us-east-2", 48, _KWH_TONNES)),
    "V15": (_compute_m5, _make_own_computation("ml.m5.xlarge", "us-east-2", 2, _KWH_TONNES)),
    "V16": (_compute_ccf_storage, _compute_our_storage),
    "V17": (
        _compute_carbonifer,
        _make_own_computation("ml.c5.large", "eu-west-3", 1, (("energy", 1000.0), ("operational", 1000.0))),
    ),
    "V18": (
        _compute_greenops,
        _make_own_computation("ml.m5.large", "us-east-1", 730, (("energy", 1.0), ("operational", 1000.0))),
    ),
}
