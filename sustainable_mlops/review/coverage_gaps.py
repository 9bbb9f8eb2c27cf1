"""What a review does not see: machines that nobody counted, resources nobody read, commands that run beside the plan.

"Fine" means that all of it was seen, so each of these is to be looked at where the plan changes it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sustainable_mlops.footprint.coverage import FREE, UNCOVERED
from sustainable_mlops.footprint.plan_footprint import READERS, PlanFootprint
from sustainable_mlops.plan.commands import Command
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.data.stateless_types import harmless
from sustainable_mlops.review.data.protections import GUARDS_BY_TYPE
from sustainable_mlops.review.data.stores import STORES
from sustainable_mlops.review.privileges.policy_types import POLICY_TYPES
from sustainable_mlops.review.risk import Level


class Why(StrEnum):
    """Why it is not seen."""

    NOT_COUNTED = "not counted"  # it runs machines, and nobody knows what they use
    NOT_REVIEWED = "not reviewed"  # nothing here reads resources of this type
    COMMAND = "runs commands that no review sees"  # what they do is in no plan


@dataclass(frozen=True, slots=True)
class Unseen:
    """One thing that the review did not see, and what is known of it. For the record where the plan leaves it alone."""

    why: Why
    address: str
    what: str
    level: Level
    #: Whether the baseline has it.
    known_before: bool = False


def unseen(comparison: Comparison, footprint: PlanFootprint) -> Iterator[Unseen]:
    """Everything that this review did not see: not counted, not reviewed, run beside the plan."""
    changed = {pair.address for pair in comparison.changes}
    for one in footprint.uncounted:
        what = f"{one.unknown.what}: {one.unknown.reason}"
        yield Unseen(Why.NOT_COUNTED, one.address, what, Level.LOOK if one.changed else Level.NOTE)
    foreign = comparison.plan.foreign
    for resource, why in foreign:
        level = Level.LOOK if resource.address in changed else Level.NOTE
        yield Unseen(Why.NOT_REVIEWED, resource.address, why, level)
    told = {resource.address for resource, _ in foreign}
    for pair in comparison.changes:
        if pair.after is not None and pair.address not in told and not _known(pair.type):
            what = f"the reviewer does not know the type {pair.type}: it may hold data or run machines"
            yield Unseen(Why.NOT_REVIEWED, pair.address, what, Level.LOOK)
    for source in comparison.plan.data:
        if source.provider and not _PLAIN.fullmatch(source.provider):
            what = f"the reviewer does not know what reading {source.type} does"
            yield Unseen(Why.NOT_REVIEWED, source.address, what, Level.LOOK)
    for command in comparison.plan.commands:
        yield Unseen(Why.COMMAND, command.address, _of_command(command), Level.LOOK)


def _of_command(command: Command) -> str:
    when = f"when {command.when}" if " " not in command.when else command.when
    return f"{command.kind}, {when}{f': {command.text}' if command.text else ''}"


#: Providers whose data sources read, and do nothing else; what `external` runs is told by itself.
_PLAIN = re.compile(
    r".*/hashicorp/(?:archive|aws|awscc|cloudinit|external|http|local|null|random|template|time|tls)"
    r"|.*builtin/terraform"
)
_READ = frozenset({*READERS, *UNCOVERED, *FREE, *STORES, *POLICY_TYPES, *GUARDS_BY_TYPE})


def _known(type_: str) -> bool:
    return type_ in _READ or harmless(type_)
