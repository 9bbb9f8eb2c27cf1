"""The estimate against measurements: every case of `catalogue/measurements.csv`, and the errors by kind.

A measured server is put together from its own parts (CPUs, memory, accelerators) and estimated as an instance would be:
training as a job of an hour whose use nobody told, serving and waiting at the share of the time that was measured.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median

from sustainable_mlops.catalogue import instances, prices
from sustainable_mlops.catalogue.instances import InstanceType, ServerPlatform
from sustainable_mlops.catalogue.tables import read_rows
from sustainable_mlops.footprint.activities import ONE, ZERO, FleetActivity, JobActivity
from sustainable_mlops.footprint.calculation import GridLocation, find_location
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import FootprintEstimate, FootprintFigure
from sustainable_mlops.footprint.machines import calculate_fleet, find_job_duty, make_job_fleet
from sustainable_mlops.footprint.quantities import exact_quantity
from tools import cpu_hosts

#: Watts at the plug, before the data centre's share.
_AT_THE_PLUG = GridLocation(ONE, ZERO, 0.0, ZERO, None, frozenset(), ())


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement and what the model makes of the same machine."""

    id: str
    #: What was measured: `training`, `serving` or `waiting` of a server with accelerators, `job`, `price`...
    kind: str
    system: str
    #: Watts of one server; USD an hour.
    value: float
    unit: str
    #: Whether a coefficient was chosen with it.
    fitted: bool
    source: str
    figure: FootprintFigure

    @property
    def error(self) -> float:
        """Of the estimate, as a share of what was measured."""
        return self.figure.central / self.value - 1

    @property
    def inside(self) -> bool:
        """Whether the range holds what was measured."""
        return self.figure.low <= self.value <= self.figure.high


@dataclass(frozen=True, slots=True)
class Errors:
    """The errors of several cases."""

    cases: int
    #: Half of the cases are nearer.
    median_error: float
    #: Half of the cases lie below.
    bias: float
    #: Share of the cases that lie in the range.
    coverage: float
    #: The range's high end as a multiple of its low end, on average over the cases (median).
    width: float


def measured() -> Iterator[Measured]:
    """Every case, in the file's order."""
    for row in read_rows("measurements"):
        yield Measured(
            id=row["id"],
            kind=row["kind"],
            system=row["system"],
            value=float(row["measured"]),
            unit=row["unit"],
            fitted=row["fitted"] == "yes",
            source=row["source"],
            figure=_figure(row),
        )


def errors(cases: list[Measured]) -> Errors:
    """Of `cases`, which must be at least one."""
    return Errors(
        cases=len(cases),
        median_error=median(abs(case.error) for case in cases),
        bias=median(case.error for case in cases),
        coverage=sum(case.inside for case in cases) / len(cases),
        width=median(case.figure.high / case.figure.low for case in cases),
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """The errors of the cases of one kind, those with which coefficients were chosen apart from the others."""

    kind: str
    fitted: bool
    errors: Errors


def held_out_hosts() -> Iterator[Measured]:
    """Every server of `catalogue/measured_hosts.csv` at each load, by the shares that follow without its design."""
    kinds = {"plug": "CPU server at the plug", "counters": "CPUs and memory on EC2, by counters"}
    kinds["regression"] = f"{kinds['counters']} and a regression"
    for host, load, watts, figure in cpu_hosts.held_out():
        kind = f"{kinds[host.kind]}, {f'{load} % load' if load else 'idle'}"
        yield Measured(host.name, kind, host.name, watts, "W", False, "", figure)


def cases() -> Iterator[Measured]:
    """All of both."""
    yield from measured()
    yield from held_out_hosts()


def summaries() -> list[Summary]:
    """By kind, in the order of the files; what was not fitted first."""
    found: dict[tuple[str, bool], list[Measured]] = {}
    for case in cases():
        found.setdefault((case.kind, case.fitted), []).append(case)
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    order = sorted(found, key=lambda key: (kinds.index(key[0]), key[1]))
    return [Summary(kind, fitted, errors(found[kind, fitted])) for kind, fitted in order]


def _figure(row: Mapping[str, str]) -> FootprintFigure:
    """The estimate in the unit of the measurement."""
    coefficients = Coefficients.default()
    if row["kind"] == "price":
        fleet = FleetActivity(row["instance"], row["region"], hours=ONE)
        where = find_location(row["region"], coefficients)
        return _of(
            calculate_fleet(fleet, _named(row), prices.find(row["instance"]), where, coefficients).compute_estimate(),
            "cost",
        )
    instance = _named(row) if row["instance"] else _server(row)
    found = calculate_fleet(_fleet(row, instance), instance, None, _AT_THE_PLUG, coefficients).compute_estimate()
    return replace(_of(found, "energy").multiply(1000 / float(row["nodes"])), unit="W")


def _fleet(row: Mapping[str, str], instance: InstanceType) -> FleetActivity:
    hours, count = exact_quantity(float(row["hours"])), exact_quantity(float(row["nodes"]))
    if not row["load"]:
        return make_job_fleet(JobActivity(row["instance"], None, hours, count, duty=find_job_duty(instance)))
    duty, loaded = exact_quantity(float(row["load"])), row["kind"] != "waiting, no model"
    return FleetActivity(row["instance"], None, count=count, hours=hours, duty=duty, has_model_loaded=loaded)


def _named(row: Mapping[str, str]) -> InstanceType:
    found = instances.find(row["instance"])
    assert found is not None, row["id"]
    return found


def _server(row: Mapping[str, str]) -> InstanceType:
    """The measured server as an instance that takes all of it."""
    vcpu = int(row["vcpu"])
    cpus = ServerPlatform(row["id"], row["cpu"], int(row["sockets"]), float(row["tdp_w"]), vcpu, grade="B")
    accelerator = instances.find_accelerator(row["accelerator"]) if row["accelerator"] else None
    server = instances.find_server(row["server"]) if row["server"] else None
    number = int(row["accelerators"] or 0)
    return InstanceType(
        row["instance"], cpus, vcpu, float(row["memory_gb"]), 0.0, accelerator, number, frozenset(), server=server
    )


def _of(found: FootprintEstimate, metric: str) -> FootprintFigure:
    figure = found.get(metric)
    assert figure is not None
    return figure
