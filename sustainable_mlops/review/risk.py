"""What a reviewer must know of a change: how serious, where, what, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How serious something is."""

    STOP = "stop"  # a gate: somebody must accept it in writing
    LOOK = "look"  # a person should look, also where nothing can be told before apply
    NOTE = "note"  # for the record


class RiskArea(StrEnum):
    """What a risk is about."""

    DATA = "data"
    PRIVILEGES = "privileges"


@dataclass(frozen=True, slots=True)
class Risk:
    """One risk of a plan. `known` is False where it cannot be told before apply."""

    id: str
    area: RiskArea
    level: Level
    address: str
    description: str
    fix: str = ""
    is_known: bool = True


#: Every risk there is, and what it says in general.
RISK_TITLES = {
    "DATA_DELETED": "Something that holds data is deleted",
    "DATA_REPLACED": "Something that holds data is deleted and made anew",
    "DATA_FORGOTTEN": "Something that holds data is no longer managed",
    "DATA_VANISHED": "Something that holds data was deleted outside Terraform",
    "DATA_GUARD_REMOVED": "A guard against deletion goes away",
    "DATA_GUARD_UNCONFIGURED": "Data is deleted together with the configuration of its guard",
    "DATA_WEAKER": "Data is protected less than before",
    "DATA_EXPIRES": "Objects are newly deleted by age",
    "DATA_UNKNOWN": "What happens to data cannot be told before apply",
    "ENDPOINT_STALE": "An endpoint does not follow what is replaced under it",
    "ENDPOINT_DOWN": "An endpoint stops answering",
    "PRIVILEGES_PERMISSION": "Something may do what it could not do before",
    "PRIVILEGES_ACTION": "Something may do more on the same resources",
    "PRIVILEGES_RESOURCE": "Something may do the same on more resources",
    "PRIVILEGES_PRINCIPAL": "Somebody else may do the same",
    "PRIVILEGES_CONDITION": "A condition on a permission is removed or loosened",
    "PRIVILEGES_DENY": "A denial is removed or loosened",
    "PRIVILEGES_DANGEROUS": "A new role, key or bucket allows what it should not",
    "PRIVILEGES_FULL_ACCESS": "A policy of full access is attached",
    "PRIVILEGES_ATTACHED": "A policy from outside the plan is attached",
    "PRIVILEGES_BOUNDARY": "A permissions boundary is removed or replaced",
    "PRIVILEGES_ROLE": "Something runs as another role",
    "PRIVILEGES_EXPOSED": "Something can be reached by more people than before",
    "PRIVILEGES_GRANTED": "Somebody is let use a key or function",
    "PRIVILEGES_NEW": "The permissions of a new role, key or bucket",
    "PRIVILEGES_UNKNOWN": "What is allowed cannot be told before apply",
}

_ORDER = {Level.STOP: 0, Level.LOOK: 1, Level.NOTE: 2}


def pick_worst(*levels: Level) -> Level:
    """The most serious of them."""
    return min(levels, key=_ORDER.__getitem__)


def rank_risks(risks: Iterable[Risk]) -> list[Risk]:
    """The most serious first, each once, otherwise in the order found."""
    return sorted(dict.fromkeys(risks), key=lambda risk: _ORDER[risk.level])
