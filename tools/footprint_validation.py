"""Comparison of estimates with measurements: every case of `catalogue/measurements.csv`, and the errors by kind.

A measured server is built from its own parts (CPUs, memory, accelerators) and estimated like an instance: training as a
job of an hour with the default duty, serving and waiting with the measured busy share.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from sustainable_mlops.catalogue import instances, prices
from sustainable_mlops.catalogue.instances import InstanceType, ServerPlatform
from sustainable_mlops.catalogue.tables import read_rows
from sustainable_mlops.footprint.activities import ONE, ZERO, FleetActivity, JobActivity
from sustainable_mlops.footprint.calculation import GridLocation, find_location
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import FootprintEstimate, FootprintFigure
from sustainable_mlops.footprint.instance_calculations import calculate_fleet, find_job_duty, make_job_fleet
from sustainable_mlops.footprint.quantities import make_exact
from tools import cpu_hosts

#: Location for watts at the plug, without the overhead of the data center.
_AT_THE_PLUG = GridLocation(ONE, ZERO, 0.0, ZERO, None, frozenset(), ())


@dataclass(frozen=True, slots=True)
class MeasuredCase:
    """A measurement, and the estimate of the same server."""

    id: str
    #: Kind of measurement: `training`, `serving` or `waiting` of a server with accelerators, `job`, `price`...
    kind: str
    system: str
    #: Watts of one server, or USD an hour.
    value: float
    unit: str
    #: True if a coefficient was fitted to it.
    is_fitted: bool
    source: str
    figure: FootprintFigure

    @property
    def error(self) -> float:
        """The error of the estimate, as a share of the measured value."""
        return self.figure.central / self.value - 1

    @property
    def is_inside(self) -> bool:
        """True if the interval contains the measured value."""
        return self.figure.low <= self.value <= self.figure.high


@dataclass(frozen=True, slots=True)
class ErrorStatistics:
    """The errors of several cases."""

    cases: int
    #: Median of the absolute errors.
    median_error: float
    #: Median of the errors.
    bias: float
    #: Share of the cases inside the interval.
    coverage: float
    #: High end of the interval as a multiple of its low end (median over the cases).
    width: float


def load_measured_cases() -> Iterator[MeasuredCase]:
    """Yield every case in the order of the file."""
    for row in read_rows("measurements"):
        yield MeasuredCase(
            id=row["id"],
            kind=row["kind"],
            system=row["system"],
            value=float(row["measured"]),
            unit=row["unit"],
            is_fitted=row["fitted"] == "yes",
            source=row["source"],
            figure=_estimate_case(row),
        )


def compute_errors(cases: list[MeasuredCase]) -> ErrorStatistics:
    """Return the error statistics of at least one case."""
    return ErrorStatistics(
        cases=len(cases),
        median_error=median(abs(case.error) for case in cases),
        bias=median(case.error for case in cases),
        coverage=sum(case.is_inside for case in cases) / len(cases),
        width=median(case.figure.high / case.figure.low for case in cases),
    )


@dataclass(frozen=True, slots=True)
class ErrorSummary:
    """The errors of the cases of one kind; fitted and other cases have separate summaries."""

    kind: str
    is_fitted: bool
    errors: ErrorStatistics


def list_held_out_hosts() -> Iterator[MeasuredCase]:
    """Yield every server of `catalogue/measured_hosts.csv` at each load, estimated without its CPU design."""
    kinds = {"plug": "CPU server at the plug", "counters": "CPUs and memory on EC2, by counters"}
    kinds["regression"] = f"{kinds['counters']} and a regression"
    for host, load, watts, figure in cpu_hosts.estimate_held_out():
        kind = f"{kinds[host.kind]}, {f'{load} % load' if load else 'idle'}"
        yield MeasuredCase(host.name, kind, host.name, watts, "W", False, "", figure)


def list_cases() -> Iterator[MeasuredCase]:
    """Yield the cases of both files."""
    yield from load_measured_cases()
    yield from list_held_out_hosts()


def summarize_errors() -> list[ErrorSummary]:
    """Return the summaries by kind, in the order of the files; cases that were not fitted come first."""
    cases_by_kind: dict[tuple[str, bool], list[MeasuredCase]] = {}
    for case in list_cases():
        cases_by_kind.setdefault((case.kind, case.is_fitted), []).append(case)
    kinds = list(dict.fromkeys(kind for kind, _ in cases_by_kind))
    order = sorted(cases_by_kind, key=lambda key: (kinds.index(key[0]), key[1]))
    return [ErrorSummary(kind, fitted, compute_errors(cases_by_kind[kind, fitted])) for kind, fitted in order]


def _estimate_case(row: Mapping[str, str]) -> FootprintFigure:
    """Return the estimate in the unit of the measurement."""
    coefficients = Coefficients.get_current()
    if row["kind"] == "price":
        fleet = FleetActivity(row["instance"], row["region"], hours=ONE)
        location = find_location(row["region"], coefficients)
        return _get_figure(
            calculate_fleet(
                fleet, _find_instance_type(row), prices.find(row["instance"]), location, coefficients
            ).compute_estimate(),
            "cost",
        )
    instance = _find_instance_type(row) if row["instance"] else _make_server(row)
    estimate = calculate_fleet(
        _make_fleet(row, instance), instance, None, _AT_THE_PLUG, coefficients
    ).compute_estimate()
    return _get_figure(estimate, "energy").multiply(1000 / float(row["nodes"]))._replace(unit="W")


def _make_fleet(row: Mapping[str, str], instance: InstanceType) -> FleetActivity:
    hours, count = make_exact(float(row["hours"])), make_exact(float(row["nodes"]))
    if not row["load"]:
        return make_job_fleet(JobActivity(row["instance"], None, hours, count, duty=find_job_duty(instance)))
    duty, has_model_loaded = make_exact(float(row["load"])), row["kind"] != "waiting, no model"
    return FleetActivity(row["instance"], None, count=count, hours=hours, duty=duty, has_model_loaded=has_model_loaded)


def _find_instance_type(row: Mapping[str, str]) -> InstanceType:
    instance_type = instances.find(row["instance"])
    assert instance_type is not None, row["id"]
    return instance_type


def _make_server(row: Mapping[str, str]) -> InstanceType:
    """Return the measured server as an instance that occupies all of it."""
    vcpu = int(row["vcpu"])
    cpus = ServerPlatform(row["id"], row["cpu"], int(row["sockets"]), float(row["tdp_w"]), vcpu, grade="B")
    accelerator = instances.find_accelerator(row["accelerator"]) if row["accelerator"] else None
    server = instances.find_server(row["server"]) if row["server"] else None
    number = int(row["accelerators"] or 0)
    return InstanceType(
        row["instance"], cpus, vcpu, float(row["memory_gb"]), 0.0, accelerator, number, frozenset(), server=server
    )


def _get_figure(estimate: FootprintEstimate, metric: str) -> FootprintFigure:
    figure = estimate.get(metric)
    assert figure is not None
    return figure
