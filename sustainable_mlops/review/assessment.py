"""Risks and findings after acceptances, waivers and the baseline were applied."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, TypeAlias

from sustainable_mlops import rules
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Sensitive
from sustainable_mlops.plan.iam import ROLE
from sustainable_mlops.plan.joins import BUCKET, ENDPOINT_CONFIGURATION, RelatedResource
from sustainable_mlops.review.acceptances import Acceptance
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.risk import Level, Risk
from sustainable_mlops.rules.attributes import UNTIL_APPLY

#: Attributes that name the resource a part belongs to, with the type of that resource.
_PARENT_ATTRIBUTES = (("role", ROLE), ("bucket", BUCKET))
_SEVERITY = {rules.Severity.FAIL: Level.STOP, rules.Severity.WARN: Level.LOOK, rules.Severity.INFO: Level.NOTE}


class RiskAssessment(NamedTuple):
    """A risk with the acceptance that covers it."""

    risk: Risk
    acceptance: Acceptance | None = None
    expired_acceptance: Acceptance | None = None

    @property
    def level(self) -> Level:
        """The level that remains after acceptance."""
        return Level.NOTE if self.acceptance else self.risk.level

    @property
    def is_open(self) -> bool:
        """True if the risk is unknown before apply and nobody accepted it."""
        return not self.risk.is_known and not self.acceptance


class FindingAssessment(NamedTuple):
    """A finding of a rule, with its relation to the plan and the baseline."""

    finding: rules.Finding
    #: True if the plan changes the resource or a part of it.
    is_touched: bool
    #: True if the outcome is unknown only because the plan creates the value, which does not exist yet.
    until_apply: bool = False
    #: True if the baseline contains the finding.
    in_baseline: bool = False

    @property
    def rule(self) -> rules.Rule:
        """The rule that produced the finding."""
        return rules.BY_ID[self.finding.rule]

    @property
    def level(self) -> Level:
        """The level that remains after waivers and the baseline."""
        if self.until_apply or self.in_baseline:
            return Level.NOTE
        outcome = self.finding.outcome
        if outcome is rules.Outcome.WAIVED:
            return Level.NOTE
        level = _SEVERITY[self.rule.severity]
        return Level.LOOK if outcome is rules.Outcome.UNKNOWN and level is Level.STOP else level

    @property
    def is_open(self) -> bool:
        """True if the rule has no outcome and neither the apply nor the baseline settles it."""
        return self.finding.outcome is rules.Outcome.UNKNOWN and not self.until_apply and not self.in_baseline


def assess_risk(risk: Risk, plan: str, accepted: Sequence[Acceptance], today: date) -> RiskAssessment:
    """Return the risk with the matching acceptance that expires last. `plan` is the name of the risk's plan."""
    matches = sorted(
        (acceptance for acceptance in accepted if acceptance.covers(risk, plan)),
        key=lambda acceptance: acceptance.until,
        reverse=True,
    )
    if not matches or risk.level is Level.NOTE:
        return RiskAssessment(risk)
    return (
        RiskAssessment(risk, acceptance=matches[0])
        if matches[0].until >= today
        else RiskAssessment(risk, expired_acceptance=matches[0])
    )


#: The findings that did not pass, and the number of those that passed.
AssessedFindings: TypeAlias = tuple[tuple[FindingAssessment, ...], int]


def assess_findings(comparison: Comparison, today: date) -> AssessedFindings:
    """Return the findings that did not pass, and the number of those that passed."""
    plan, touched_addresses = comparison.plan, _list_touched_addresses(comparison)
    findings = rules.evaluate(plan, today=today)
    open_findings = [finding for finding in findings if finding.outcome is not rules.Outcome.PASS]
    assessments = (
        FindingAssessment(
            finding,
            finding.address in touched_addresses,
            finding.outcome is rules.Outcome.UNKNOWN
            and bool(touched_addresses)
            and _is_known_after_apply(plan, finding),
        )
        for finding in open_findings
    )
    return tuple(assessments), len(findings) - len(open_findings)


def _list_touched_addresses(comparison: Comparison) -> set[str]:
    """Return the addresses of changed resources and of the resources they are a part of."""
    joins = comparison.joins_after
    addresses = {pair.address for pair in comparison.changes}
    for pair in comparison.changes:
        part = pair.new if pair.new is not None and pair.after is not None else None
        if part is not None:
            parents: list[RelatedResource] = [
                joins.find_target(part, path, kind)
                for path, kind in _PARENT_ATTRIBUTES
                if part.type.startswith(f"{kind}_")
            ]
            parents += [joins.find_scaled_variant(part).endpoint] if part.type.startswith("aws_appautoscaling_") else []
            parents += joins.find_endpoints(part).certain if part.type == ENDPOINT_CONFIGURATION else []
            addresses.update(parent.address for parent in parents if isinstance(parent, Resource))
    return addresses


def _is_known_after_apply(plan: Plan, finding: rules.Finding) -> bool:
    """Return whether the apply reveals the value of an unknown finding. Sensitive values stay hidden after apply."""
    resource = plan.find_resource(finding.address)
    value = resource.get(finding.path) if resource is not None and finding.path else None
    return not _contains_sensitive(value) and (value is UNKNOWN or UNTIL_APPLY in finding.message)


def _contains_sensitive(value: object) -> bool:
    if isinstance(value, dict | list):
        return any(map(_contains_sensitive, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Sensitive)
