"""Risks of a plan: level, address, description and remedy."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """The severity of a risk or finding."""

    STOP = "stop"  # fails a gate: a person must accept it in writing
    LOOK = "look"  # a person should look, also if a value is unknown before apply
    NOTE = "note"  # for the record


class RiskArea(StrEnum):
    """The area of a risk."""

    DATA = "data"
    PRIVILEGES = "privileges"
    SAFEGUARDS = "safeguards"  # detection, records, alarms and limits


class Risk(NamedTuple):
    """One risk of a plan. `is_known` is False if only the apply reveals it."""

    id: str
    area: RiskArea
    level: Level
    address: str
    description: str
    fix: str = ""
    is_known: bool = True


#: The title of each risk ID.
RISK_TITLES = {
    "DATA_DELETED": "A resource with data is deleted",
    "DATA_REPLACED": "A resource with data is deleted and created again",
    "DATA_FORGOTTEN": "A resource with data is no longer managed",
    "DATA_VANISHED": "A resource with data was deleted outside Terraform",
    "DATA_GUARD_REMOVED": "A deletion guard is removed",
    "DATA_GUARD_UNCONFIGURED": "Data is deleted together with the configuration of its deletion guard",
    "DATA_WEAKER": "Data has less protection than before",
    "DATA_EXPIRES": "Objects newly expire by age",
    "DATA_UNKNOWN": "The effect on data is unknown before apply",
    "ENDPOINT_STALE": "An endpoint keeps an old model or configuration",
    "ENDPOINT_DOWN": "An endpoint stops responding",
    "ENDPOINT_UNLISTED": "An endpoint is destroyed, because its model package left models.auto.tfvars.json",
    "ENDPOINT_CAPACITY": "An endpoint loses its reserved capacity",
    "PRIVILEGES_PERMISSION": "A principal gets a new permission",
    "PRIVILEGES_ACTION": "A principal gets more actions on the same resources",
    "PRIVILEGES_READ": "A principal that reads data gets one more read action on it",
    "PRIVILEGES_RESOURCE": "A principal gets the same actions on more resources",
    "PRIVILEGES_PRINCIPAL": "Another principal gets a permission",
    "PRIVILEGES_CONDITION": "A condition of a permission is removed or weakened",
    "PRIVILEGES_DENY": "A deny statement is removed or weakened",
    "PRIVILEGES_DANGEROUS": "A new role, key or bucket has a dangerous permission",
    "PRIVILEGES_FULL_ACCESS": "A policy of full access is attached",
    "PRIVILEGES_ATTACHED": "A policy from outside the plan is attached",
    "PRIVILEGES_BOUNDARY": "A permissions boundary is removed or replaced",
    "PRIVILEGES_ROLE": "A resource runs as another role",
    "PRIVILEGES_EXPOSED": "A resource is reachable by more people than before",
    "PRIVILEGES_TRUST": "Additional or different users, keys or identity providers are trusted",
    "PRIVILEGES_DESTINATION": "Data or traffic goes to another account or out of AWS",
    "PRIVILEGES_CODE": "A resource runs code of another account or registry",
    "PRIVILEGES_GRANTED": "A principal gets access to a key, a function or another resource",
    "PRIVILEGES_NEW": "The permissions of a new role, key or bucket",
    "PRIVILEGES_UNKNOWN": "The permissions are unknown before apply",
    "SAFEGUARD_REMOVED": "A safeguard is removed",
    "SAFEGUARD_WEAKER": "A safeguard is turned off or weakened",
    "SAFEGUARD_UNKNOWN": "The effect on a safeguard is unknown before apply",
}

#: The risk of a weaker protection, and of one whose value is unknown, in each area.
WEAKER_IDS = {
    RiskArea.DATA: "DATA_WEAKER",
    RiskArea.PRIVILEGES: "PRIVILEGES_EXPOSED",
    RiskArea.SAFEGUARDS: "SAFEGUARD_WEAKER",
}
UNKNOWN_IDS = {
    RiskArea.DATA: "DATA_UNKNOWN",
    RiskArea.PRIVILEGES: "PRIVILEGES_UNKNOWN",
    RiskArea.SAFEGUARDS: "SAFEGUARD_UNKNOWN",
}

_ORDER = {Level.STOP: 0, Level.LOOK: 1, Level.NOTE: 2}


def build_privilege_risk(
    name: str, level: Level, address: str, description: str, fix: str = "", *, is_known: bool = True
) -> Risk:
    """Return a risk of wider privileges. Only a risk of the level `stop` has the remedy `fix`."""
    return Risk(name, RiskArea.PRIVILEGES, level, address, description, fix if level is Level.STOP else "", is_known)


def pick_worst(*levels: Level) -> Level:
    """Return the most serious level."""
    return min(levels, key=_ORDER.__getitem__)


def rank_risks(risks: Iterable[Risk]) -> list[Risk]:
    """Return the distinct risks, the most serious first."""
    return sorted(dict.fromkeys(risks), key=lambda risk: _ORDER[risk.level])


def format_path(path: str) -> str:
    """Return an attribute path for a message, without wildcards."""
    return ".".join(step for step in path.split(".") if step not in ("*", "**"))
