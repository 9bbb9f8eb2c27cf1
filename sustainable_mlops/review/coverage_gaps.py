"""The parts of a plan that a review does not cover.

The verdict "fine" means full coverage, so a person has to look at each gap that the plan changes.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.catalogue.service_prices import load_by_type
from sustainable_mlops.footprint.coverage import FREE_TYPES, UNCOVERED_TYPES
from sustainable_mlops.footprint.plan_footprint import PlanFootprint
from sustainable_mlops.footprint.services.readers import READERS
from sustainable_mlops.plan.commands import PlanCommand
from sustainable_mlops.review.attribute_changes.risks import list_unread_attributes
from sustainable_mlops.review.attributes.table import ROWS_BY_TYPE
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.instance_commands import find_instance_commands
from sustainable_mlops.review.privileges.policy_types import POLICY_TYPES
from sustainable_mlops.review.risk import Level
from sustainable_mlops.review.safeguards.table import SAFEGUARDS
from sustainable_mlops.review.scope import summarize_addresses
from sustainable_mlops.review.stateless_types import is_stateless
from sustainable_mlops.review.stores import STORES


class GapKind(StrEnum):
    """The kind of a coverage gap."""

    NOT_COUNTED = "no estimate"  # the resource runs instances of unknown energy and cost
    NOT_REVIEWED = "not reviewed"  # no part of the reviewer reads this resource type
    COMMAND = "runs a command"  # a plan does not contain the effects of a command


class CoverageGap(NamedTuple):
    """One part of a plan that the review does not cover. The level is `note` if the plan does not change it."""

    kind: GapKind
    address: str
    description: str
    level: Level
    #: True if the baseline contains the gap.
    in_baseline: bool = False


def find_coverage_gaps(comparison: Comparison, footprint: PlanFootprint) -> Iterator[CoverageGap]:
    """Yield the resources without an estimate, resources that nothing reviews, and commands."""
    changed = {pair.address for pair in comparison.changes}
    for part in dict.fromkeys(footprint.uncounted):  # several parts of a resource may have one reason
        description = part.unknown.describe(part.address, part.size)
        yield CoverageGap(GapKind.NOT_COUNTED, part.address, description, Level.LOOK if part.is_changed else Level.NOTE)
    foreign = comparison.plan.unreviewed_resources
    for resource, reason in foreign:
        level = Level.LOOK if resource.address in changed else Level.NOTE
        yield CoverageGap(GapKind.NOT_REVIEWED, resource.address, reason, level)
    foreign_addresses = {resource.address for resource, _ in foreign}
    for pair in comparison.changes:
        if pair.after is not None and pair.address not in foreign_addresses and not _is_reviewed(pair.type):
            description = f"the reviewer does not know the type {pair.type}, which may hold data or run instances"
            yield CoverageGap(GapKind.NOT_REVIEWED, pair.address, description, Level.LOOK)
        elif unread := list_unread_attributes(pair, comparison):
            description = f"no check reads the changed {summarize_addresses(unread)}"
            yield CoverageGap(GapKind.NOT_REVIEWED, pair.address, description, Level.LOOK)
    for source in comparison.plan.data_sources:
        if source.provider and not _READ_ONLY_PROVIDERS.fullmatch(source.provider):
            description = f"the reviewer does not know the effects of reading {source.type}"
            yield CoverageGap(GapKind.NOT_REVIEWED, source.address, description, Level.LOOK)
    for command in (*comparison.plan.commands, *find_instance_commands(comparison)):
        yield CoverageGap(GapKind.COMMAND, command.address, _describe_command(command), Level.LOOK)


def _describe_command(command: PlanCommand) -> str:
    when = f"when {command.when}" if " " not in command.when else command.when
    return f"{command.kind}, {when}{f': {command.text}' if command.text else ''}"


#: Providers whose data sources only read. The commands of `external` are reported as commands.
_READ_ONLY_PROVIDERS = LazyPattern(
    r".*/hashicorp/(?:archive|aws|awscc|cloudinit|external|http|local|null|random|template|time|tls)"
    r"|.*builtin/terraform"
)
_REVIEWED_TYPES = frozenset(
    {
        *READERS,
        *UNCOVERED_TYPES,
        *FREE_TYPES,
        *load_by_type(),
        *STORES,
        *POLICY_TYPES,
        *ROWS_BY_TYPE,
        *SAFEGUARDS,
    }
)


def _is_reviewed(type_: str) -> bool:
    return type_ in _REVIEWED_TYPES or is_stateless(type_)
