"""Findings of a scan for idle resources, and the report that holds them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.footprint import FootprintEstimate, UnknownItem, UnknownKind, estimate
from sustainable_mlops.footprint.activities import Activity
from sustainable_mlops.footprint.figures import ZERO_ESTIMATE, sum_estimates


class IdleKind(StrEnum):
    """Kind of an idle resource."""

    ENDPOINT = "endpoint"
    #: An endpoint in use for which AWS recommends another size.
    OVERSIZED_ENDPOINT = "oversized endpoint"
    APP = "app"
    NOTEBOOK = "notebook instance"
    TRACKING_SERVER = "tracking server"
    ENDPOINT_CONFIG = "endpoint configuration"
    MODEL = "model"
    CHECKPOINTS = "checkpoints"
    LOG_GROUP = "log group"
    INTERFACE_ENDPOINT = "interface endpoint"


#: Manager of a resource whose tags could not be read.
UNKNOWN_MANAGER = "unknown"


@dataclass(frozen=True)
class IdleFinding:
    """An idle resource, its figures for a month, and the module input that prevents it."""

    kind: IdleKind
    name: str
    problem: str
    #: Module input that prevents it.
    module_input: str
    #: Savings of a month.
    estimate: FootprintEstimate = ZERO_ESTIMATE
    arn: str = ""
    #: Tool that manages the resource by its tags, such as Terraform; empty for none.
    manager: str = ""
    #: Members that identify the resource in requests.
    identity: Mapping[str, Any] = field(default_factory=dict)
    #: AWS services that report the same resource.
    sources: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "arn": self.arn,
            "problem": self.problem,
            "module_input": self.module_input,
            "managed_by": self.manager,
            "also_reported_by": list(self.sources),
            "month": self.estimate.to_dict(),
        }


@dataclass(frozen=True)
class SkippedPart:
    """A part of the account that the scan did not read."""

    part: str
    reason: str
    #: The denied IAM action; empty for another reason.
    missing_action: str = ""

    def __str__(self) -> str:
        remedy = f"; allow {self.missing_action}" if self.missing_action else ""
        return f"skipped: {self.part}: {self.reason}{remedy}"


@dataclass
class IdleReport:
    """Findings of one scan, the parts that it skipped, and notes about resources whose use is unknown."""

    region: str
    environment: str
    days: float
    moment: datetime
    findings: list[IdleFinding] = field(default_factory=list)
    skipped: list[SkippedPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def total(self) -> FootprintEstimate:
        """Sum of all findings for a month."""
        return sum_estimates(finding.estimate for finding in self.findings)

    def add(self, items: Iterable["IdleFinding | str"]) -> None:
        """Add findings and notes."""
        for item in items:
            if isinstance(item, IdleFinding):
                self.findings.append(item)
            else:
                self.notes.append(item)

    def to_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "region": self.region,
            "environment": self.environment or None,
            "days": self.days,
            "at": self.moment.isoformat(),
            "findings": [finding.to_dict() for finding in self.findings],
            "skipped": [vars(one) for one in self.skipped],
            "notes": self.notes,
            "month": self.total.to_dict(),
        }


def estimate_month(*activities: Activity) -> FootprintEstimate:
    """Return the estimate of a month; unknown for a type that is not in the catalogue."""
    return sum_estimates([_estimate_activity(activity) for activity in activities])


def _estimate_activity(activity: Activity) -> FootprintEstimate:
    try:
        return estimate(activity)
    except UserError as error:
        return describe_unknown(str(error))


def describe_unknown(reason: str) -> FootprintEstimate:
    """Return an estimate without figures."""
    return FootprintEstimate(unknowns=(UnknownItem("price", reason, UnknownKind.UNCOUNTED),))
