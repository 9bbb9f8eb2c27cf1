"""How many users there are when: a job's traffic pattern, and how long it takes on this machine."""

import math
from dataclasses import dataclass, replace

from sagemaker_sandbox.parts.resources import Fields

#: The users of a job that names no pattern; AWS publishes none. Assumed.
_UNSAID = (1, 2, 4, 8, 16, 32)
_MINUTE = 60.0
#: What a benchmark takes here at most, and what is measured at once at least, in seconds of this machine. Assumed.
LONGEST, LEAST = 10.0, 0.5


@dataclass(frozen=True)
class Step:
    """So many users send one request after the other, for so long."""

    users: int
    seconds: float


def steps(pattern: Fields | None) -> list[Step]:
    """The pattern in steps: of a minute each for phases, whose users come by the minute."""
    if pattern is None:
        return [Step(users, _MINUTE) for users in _UNSAID]
    if pattern["TrafficType"] == "STAIRS":
        stairs = pattern["Stairs"]
        number = stairs["NumberOfSteps"]
        return [Step(stairs["UsersPerStep"] * (k + 1), stairs["DurationInSeconds"] / number) for k in range(number)]
    return [step for phase in pattern["Phases"] for step in _minutes(phase)]


def _minutes(phase: Fields) -> list[Step]:
    seconds, first, rate = phase["DurationInSeconds"], phase["InitialNumberOfUsers"], phase["SpawnRate"]
    return [
        Step(first + rate * minute, min(_MINUTE, seconds - _MINUTE * minute))
        for minute in range(math.ceil(seconds / _MINUTE))
    ]


def last_users(phase: Fields) -> int:
    """How many users there are at the end of a phase."""
    return int(phase["InitialNumberOfUsers"] + phase["SpawnRate"] * phase["DurationInSeconds"] // _MINUTE)


def paced(pattern: list[Step], scale: float) -> list[Step]:
    """The same in seconds of this machine, where so many of the pattern's pass in one.

    What would take longer than `LONGEST` is compressed, and steps that are too short to measure are taken together.
    """
    whole = sum(step.seconds for step in pattern)
    here = max(min(whole / scale, LONGEST), LEAST)
    number = max(min(len(pattern), int(here / LEAST)), 1)
    groups = [pattern[len(pattern) * k // number : len(pattern) * (k + 1) // number] for k in range(number)]
    return [replace(group[-1], seconds=sum(step.seconds for step in group) * here / whole) for group in groups]
