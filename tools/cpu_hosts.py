"""Power of CPU hosts: derivation of the CPU shares from measured servers, and a check with held-out servers.

Two kinds of measurement disagree. The servers of SPECpower, at the plug, are tuned for it. Counters (RAPL) on EC2 bare
metal measure the right hosts, but not the board. The shares are the geometric mean of both kinds, with a board of 0.14
of the TDP for the counters. That is the geometric mean of 0.10, which SPECpower's idle power allows, and 0.20 of Teads.
`python -m tools.cpu_hosts` prints the shares of all servers of `catalogue/measured_hosts.csv`.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median

from sustainable_mlops.catalogue.instances import ServerPlatform
from sustainable_mlops.catalogue.tables import parse_number, read_rows
from sustainable_mlops.footprint.coefficients import Coefficients, Curve, interpolate
from sustainable_mlops.footprint.figures import FootprintFigure
from sustainable_mlops.footprint.power import compute_slice_power

LOADS = (0, 10, 50, 100)
#: Power that counters do not measure, as a share of the TDP.
_BOARD_OF_EC2 = 0.14
#: Seed of the random halves.
_SEED = 7
#: More vCPUs than any server has; the vCPUs of a measured server do not matter.
_VCPU = 512


@dataclass(frozen=True, slots=True)
class MeasuredHost:
    """A measured server."""

    name: str
    #: `plug`: the whole server; `counters`: CPU packages and memory; `regression`: the same from a model of counters.
    kind: str
    #: CPU design; each counts once, for any number of measured servers.
    platform: str
    #: TDP of all sockets in W.
    tdp_w: float
    memory_gb: float
    #: W at `LOADS`; None if nothing was published.
    watts: tuple[float | None, ...]


def load_hosts() -> list[MeasuredHost]:
    """Return the servers of `catalogue/measured_hosts.csv`."""
    return [
        MeasuredHost(
            name=row["server"],
            kind=row["kind"],
            platform=row["platform"],
            tdp_w=float(row["tdp_w"]) * int(row["sockets"]),
            memory_gb=float(row["memory_gb"]),
            watts=tuple(parse_number(row[f"w_{load}"]) for load in LOADS),
        )
        for row in read_rows("measured_hosts")
    ]


def compute_cpu_ratio(group: Iterable[MeasuredHost]) -> Curve:
    """Return the power of CPU packages as a share of the TDP over load, from the servers of both kinds."""
    coefficients, group = Coefficients.get_current(), list(group)
    points = []
    for position, load in enumerate(LOADS):
        memory = interpolate(coefficients.ram_w_per_gb, load / 100)
        plug = _compute_share(group, "plug", position, memory)
        counters = _compute_share(group, "counters", position, memory) + _BOARD_OF_EC2
        points.append((load / 100, (plug * counters) ** 0.5 - coefficients.board_ratio))
    return tuple(points)


def _compute_share(group: Sequence[MeasuredHost], kind: str, position: int, memory_w_per_gb: float) -> float:
    """Return the power without memory as a share of the TDP: the mean over platforms of their medians."""
    by_platform: dict[str, list[float]] = {}
    for host in group:
        watts = host.watts[position]
        if host.kind == kind and watts is not None:
            cpus = max(watts - host.memory_gb * memory_w_per_gb, 1.0)
            by_platform.setdefault(host.platform, []).append(cpus / host.tdp_w)
    return geometric_mean(median(shares) for shares in by_platform.values())


def estimate_held_out() -> Iterator[tuple[MeasuredHost, int, float, FootprintFigure]]:
    """Yield each server at each load (%) with its watts, and its estimate by the half that does not contain it."""
    for fitting_half, others in split_hosts():
        coefficients = Coefficients.get_current()._replace(cpu_ratio=compute_cpu_ratio(fitting_half))
        for host in others:
            for load, watts in zip(LOADS, host.watts, strict=True):
                if watts is not None:
                    yield host, load, watts, _estimate_host(host, load / 100, coefficients)


def split_hosts() -> Iterator[tuple[list[MeasuredHost], list[MeasuredHost]]]:
    """Yield both halves of the CPU designs, each once as the fitting half; each half has half of each kind."""
    halves: tuple[list[MeasuredHost], list[MeasuredHost]] = ([], [])
    for kind in ("plug", "counters", "regression"):
        of_kind = [host for host in load_hosts() if host.kind == kind]
        platforms = sorted({host.platform for host in of_kind})
        random.Random(_SEED).shuffle(platforms)  # noqa: S311
        for host in of_kind:
            halves[platforms.index(host.platform) % 2].append(host)
    yield halves
    yield halves[1], halves[0]


def _estimate_host(host: MeasuredHost, load: float, coefficients: Coefficients) -> FootprintFigure:
    """Return the estimate in W of the measured part; the counters do not include the board."""
    host_coefficients = coefficients if host.kind == "plug" else coefficients._replace(board_ratio=0.0)
    # The CPUs of these servers can use all their memory.
    server = ServerPlatform(host.name, "", sockets=1, tdp_w=host.tdp_w, vcpu=_VCPU, grade="B")
    watts, model = compute_slice_power(server, _VCPU, host.memory_gb, load, host_coefficients), coefficients.host_model
    return FootprintFigure(model.low * watts, watts, model.high * watts, model.grade, model.text, "W")


if __name__ == "__main__":
    print(", ".join(f"{share:.3f} at {load:.0%}" for load, share in compute_cpu_ratio(load_hosts())))
