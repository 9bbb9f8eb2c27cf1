"""The power of CPU hosts: how the CPU shares follow from measured servers, and what they make of servers left out.

Two kinds of measurement disagree. SPECpower's servers, at the plug, are tuned for it; counters (RAPL) on EC2's bare
metal are of the hosts in question, but leave out the board. The shares are the geometric mean of both, the counters
with a board of 0.14 of the TDP: the geometric mean of 0.10, for which SPECpower's idle leaves room, and Teads' 0.20.
`python -m tools.cpu_hosts` prints the shares that all of `catalogue/measured_hosts.csv` give.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import geometric_mean, median

from sustainable_mlops.catalogue.instances import ServerPlatform
from sustainable_mlops.catalogue.tables import parse_number, read_rows
from sustainable_mlops.footprint.coefficients import Coefficients, Curve, interpolate
from sustainable_mlops.footprint.figures import FootprintFigure
from sustainable_mlops.footprint.power import compute_slice_power

LOADS = (0, 10, 50, 100)
#: Of the TDP: what counters leave out.
_BOARD_OF_EC2 = 0.14
#: Which designs are left out together.
_SEED = 7
#: More than any of the servers has: their vCPUs are not what is measured.
_VCPU = 512


@dataclass(frozen=True, slots=True)
class Host:
    """A measured server."""

    name: str
    #: `plug`: the whole server; `counters`: CPU packages and memory; `regression`: the same, by a model of counters.
    kind: str
    #: CPUs of one design: each counts once, however many servers were measured.
    platform: str
    #: W of all sockets.
    tdp_w: float
    memory_gb: float
    #: W at `LOADS`; None where nothing was published.
    watts: tuple[float | None, ...]


def hosts() -> list[Host]:
    """Those of `catalogue/measured_hosts.csv`."""
    return [
        Host(
            name=row["server"],
            kind=row["kind"],
            platform=row["platform"],
            tdp_w=float(row["tdp_w"]) * int(row["sockets"]),
            memory_gb=float(row["memory_gb"]),
            watts=tuple(parse_number(row[f"w_{load}"]) for load in LOADS),
        )
        for row in read_rows("measured_hosts")
    ]


def cpu_ratio(group: Iterable[Host]) -> Curve:
    """The share of the TDP that CPU packages draw over load, from the servers of `group`, of both kinds."""
    ours, group = Coefficients.default(), list(group)
    found = []
    for place, load in enumerate(LOADS):
        memory = interpolate(ours.ram_w_per_gb, load / 100)
        plug = _share(group, "plug", place, memory)
        counters = _share(group, "counters", place, memory) + _BOARD_OF_EC2
        found.append((load / 100, (plug * counters) ** 0.5 - ours.board_ratio))
    return tuple(found)


def _share(group: Sequence[Host], kind: str, place: int, memory_w_per_gb: float) -> float:
    """What is not memory, as a share of the TDP: the median of each platform, and their mean."""
    by_platform: dict[str, list[float]] = {}
    for host in group:
        watts = host.watts[place]
        if host.kind == kind and watts is not None:
            cpus = max(watts - host.memory_gb * memory_w_per_gb, 1.0)
            by_platform.setdefault(host.platform, []).append(cpus / host.tdp_w)
    return geometric_mean(median(shares) for shares in by_platform.values())


def held_out() -> Iterator[tuple[Host, int, float, FootprintFigure]]:
    """Each server at each load (%) with its watts, and the estimate by the shares of the half that it is not in."""
    for kept, others in halves():
        coefficients = replace(Coefficients.default(), cpu_ratio=cpu_ratio(kept))
        for host in others:
            for load, watts in zip(LOADS, host.watts, strict=True):
                if watts is not None:
                    yield host, load, watts, _estimate(host, load / 100, coefficients)


def halves() -> Iterator[tuple[list[Host], list[Host]]]:
    """Both halves of the CPU designs, each once as what is kept; of each kind half is in either."""
    halves: tuple[list[Host], list[Host]] = ([], [])
    for kind in ("plug", "counters", "regression"):
        of_kind = [host for host in hosts() if host.kind == kind]
        platforms = sorted({host.platform for host in of_kind})
        random.Random(_SEED).shuffle(platforms)  # noqa: S311
        for host in of_kind:
            halves[platforms.index(host.platform) % 2].append(host)
    yield halves
    yield halves[1], halves[0]


def _estimate(host: Host, load: float, coefficients: Coefficients) -> FootprintFigure:
    """W of what was measured: of counters without the board."""
    used = coefficients if host.kind == "plug" else replace(coefficients, board_ratio=0.0)
    # All memory of these servers is within what their CPUs work with.
    server = ServerPlatform(host.name, "", sockets=1, tdp_w=host.tdp_w, vcpu=_VCPU, grade="B")
    watts, model = compute_slice_power(server, _VCPU, host.memory_gb, load, used), coefficients.host_model
    return FootprintFigure(model.low * watts, watts, model.high * watts, model.grade, model.text, "W")


if __name__ == "__main__":
    print(", ".join(f"{share:.3f} at {load:.0%}" for load, share in cpu_ratio(hosts())))
