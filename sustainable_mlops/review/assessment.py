"""Risks and findings with how serious they still are: accepted, waived, known before, or open until apply."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sustainable_mlops import rules
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Sensitive
from sustainable_mlops.plan.iam import ROLE
from sustainable_mlops.plan.joins import BUCKET, ENDPOINT_CONFIGURATION, RelatedResource
from sustainable_mlops.review.acceptances import Acceptance
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.risk import Level, Risk
from sustainable_mlops.rules.reading import UNTIL_APPLY

#: What parts are of, where they name it: the attribute, and the type that theirs starts with.
_PARENT_ATTRIBUTES = (("role", ROLE), ("bucket", BUCKET))
_SEVERITY = {rules.Severity.FAIL: Level.STOP, rules.Severity.WARN: Level.LOOK, rules.Severity.INFO: Level.NOTE}


@dataclass(frozen=True, slots=True)
class RiskAssessment:
    """A risk, and who accepted it."""

    risk: Risk
    acceptance: Acceptance | None = None
    expired_acceptance: Acceptance | None = None

    @property
    def level(self) -> Level:
        """How serious it still is."""
        return Level.NOTE if self.acceptance else self.risk.level

    @property
    def is_open(self) -> bool:
        """Whether it cannot be told before apply, and nobody accepted that."""
        return not self.risk.is_known and not self.acceptance


@dataclass(frozen=True, slots=True)
class FindingAssessment:
    """What a rule found, and what of that this change has to answer for."""

    finding: rules.Finding
    #: Whether the plan does anything to the resource.
    is_touched: bool
    #: Whether it is unknown only because this very plan makes the value: nothing that a person could look at yet.
    until_apply: bool = False
    #: Whether the baseline has it.
    in_baseline: bool = False

    @property
    def rule(self) -> rules.Rule:
        """The rule."""
        return rules.BY_ID[self.finding.rule]

    @property
    def level(self) -> Level:
        """How serious it is."""
        outcome = self.finding.outcome
        if outcome is rules.Outcome.WAIVED or self.until_apply or self.in_baseline:
            return Level.NOTE
        level = _SEVERITY[self.rule.severity]
        return Level.LOOK if outcome is rules.Outcome.UNKNOWN and level is Level.STOP else level

    @property
    def is_open(self) -> bool:
        """Whether the rule cannot be judged, and nothing but a person can mend that."""
        return self.finding.outcome is rules.Outcome.UNKNOWN and not self.until_apply and not self.in_baseline


def assess_risk(risk: Risk, accepted: Sequence[Acceptance], today: date) -> RiskAssessment:
    """The risk with the acceptance that holds longest, if any fits."""
    matches = sorted((acceptance for acceptance in accepted if acceptance.covers(risk)), key=lambda acceptance: acceptance.until, reverse=True)
    if not matches or risk.level is Level.NOTE:
        return RiskAssessment(risk)
    return (
        RiskAssessment(risk, accepted=matches[0])
        if matches[0].until >= today
        else RiskAssessment(risk, expired=matches[0])
    )


def assess_findings(comparison: Comparison, today: date) -> tuple[tuple[FindingAssessment, ...], int]:
    """What the rules find that is not as it should be, and how often they find that it is.

    Of each also whether the plan does anything to the resource, or to a part of it.
    """
    plan, touched_addresses = comparison.plan, _list_touched_addresses(comparison)
    findings = rules.evaluate(plan, today=today)
    open_findings = [finding for finding in findings if finding.outcome is not rules.Outcome.PASS]
    assessments = (
        FindingAssessment(finding, finding.address in touched_addresses, bool(touched_addresses) and _is_known_after_apply(plan, finding)) for finding in open_findings
    )
    return tuple(assessments), len(findings) - len(open_findings)


def _list_touched_addresses(comparison: Comparison) -> set[str]:
    """The addresses of what the plan changes, and of what a changed resource is a part of."""
    joins = comparison.joins_after
    addresses = {pair.address for pair in comparison.changes}
    for pair in comparison.changes:
        part = pair.new if pair.new is not None and pair.after is not None else None
        if part is not None:
            parents: list[RelatedResource] = [
                joins.find_target(part, path, kind) for path, kind in _PARENT_ATTRIBUTES if part.type.startswith(f"{kind}_")
            ]
            parents += [joins.find_scaled_variant(part).endpoint] if part.type.startswith("aws_appautoscaling_") else []
            parents += joins.find_endpoints(part).certain if part.type == ENDPOINT_CONFIGURATION else []
            addresses.update(parent.address for parent in parents if isinstance(parent, Resource))
    return addresses


def _is_known_after_apply(plan: Plan, finding: rules.Finding) -> bool:
    """Terraform leaves a value open only where this plan makes what it comes from; what is hidden stays so."""
    if finding.outcome is not rules.Outcome.UNKNOWN:
        return False
    resource = plan.find_resource(finding.address)
    value = resource.get(finding.path) if resource is not None and finding.path else None
    return not _contains_sensitive(value) and (value is UNKNOWN or UNTIL_APPLY in finding.message)


def _contains_sensitive(value: object) -> bool:
    """Whether something in it is sensitive."""
    if isinstance(value, dict | list):
        return any(map(_contains_sensitive, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Sensitive)
