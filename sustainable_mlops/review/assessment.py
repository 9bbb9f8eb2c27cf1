"""Risks and findings with how serious they still are: accepted, waived, known before, or open until apply."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sustainable_mlops import rules
from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Sensitive
from sustainable_mlops.plan.iam import ROLE
from sustainable_mlops.plan.joins import BUCKET, ENDPOINT_CONFIGURATION, Joined
from sustainable_mlops.review.acceptances import Acceptance
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.risk import Level, Risk
from sustainable_mlops.rules.reading import UNTIL_APPLY

#: What parts are of, where they name it: the attribute, and the type that theirs starts with.
_WHOLES = (("role", ROLE), ("bucket", BUCKET))
_SEVERITY = {rules.Severity.FAIL: Level.STOP, rules.Severity.WARN: Level.LOOK, rules.Severity.INFO: Level.NOTE}


@dataclass(frozen=True, slots=True)
class JudgedRisk:
    """A risk, and who accepted it."""

    risk: Risk
    accepted: Acceptance | None = None
    expired: Acceptance | None = None

    @property
    def level(self) -> Level:
        """How serious it still is."""
        return Level.NOTE if self.accepted else self.risk.level

    @property
    def open(self) -> bool:
        """Whether it cannot be told before apply, and nobody accepted that."""
        return not self.risk.known and not self.accepted


@dataclass(frozen=True, slots=True)
class JudgedFinding:
    """What a rule found, and what of that this change has to answer for."""

    finding: rules.Finding
    #: Whether the plan does anything to the resource.
    touched: bool
    #: Whether it is unknown only because this very plan makes the value: nothing that a person could look at yet.
    until_apply: bool = False
    #: Whether the baseline has it.
    known_before: bool = False

    @property
    def rule(self) -> rules.Rule:
        """The rule."""
        return rules.BY_ID[self.finding.rule]

    @property
    def level(self) -> Level:
        """How serious it is."""
        outcome = self.finding.outcome
        if outcome is rules.Outcome.WAIVED or self.until_apply or self.known_before:
            return Level.NOTE
        level = _SEVERITY[self.rule.severity]
        return Level.LOOK if outcome is rules.Outcome.UNKNOWN and level is Level.STOP else level

    @property
    def open(self) -> bool:
        """Whether the rule cannot be judged, and nothing but a person can mend that."""
        return self.finding.outcome is rules.Outcome.UNKNOWN and not self.until_apply and not self.known_before


def judged_risk(risk: Risk, accepted: Sequence[Acceptance], today: date) -> JudgedRisk:
    """The risk with the acceptance that holds longest, if any fits."""
    fitting = sorted((one for one in accepted if one.fits(risk)), key=lambda one: one.until, reverse=True)
    if not fitting or risk.level is Level.NOTE:
        return JudgedRisk(risk)
    return JudgedRisk(risk, accepted=fitting[0]) if fitting[0].until >= today else JudgedRisk(risk, expired=fitting[0])


def judged_findings(comparison: Comparison, today: date) -> tuple[tuple[JudgedFinding, ...], int]:
    """What the rules find that is not as it should be, and how often they find that it is.

    Of each also whether the plan does anything to the resource, or to a part of it.
    """
    plan, touched = comparison.plan, _touched(comparison)
    every = rules.evaluate(plan, today=today)
    found = [one for one in every if one.outcome is not rules.Outcome.PASS]
    judged = (JudgedFinding(one, one.address in touched, bool(touched) and _until_apply(plan, one)) for one in found)
    return tuple(judged), len(every) - len(found)


def _touched(comparison: Comparison) -> set[str]:
    """The addresses of what the plan changes, and of what a changed resource is a part of."""
    joins = comparison.joins_after
    found = {pair.address for pair in comparison.changes}
    for pair in comparison.changes:
        part = pair.new if pair.new is not None and pair.after is not None else None
        if part is not None:
            wholes: list[Joined] = [
                joins.target(part, path, kind) for path, kind in _WHOLES if part.type.startswith(f"{kind}_")
            ]
            wholes += [joins.scaled(part).endpoint] if part.type.startswith("aws_appautoscaling_") else []
            wholes += joins.endpoints(part).sure if part.type == ENDPOINT_CONFIGURATION else []
            found.update(whole.address for whole in wholes if isinstance(whole, Resource))
    return found


def _until_apply(plan: Plan, finding: rules.Finding) -> bool:
    """Terraform leaves a value open only where this plan makes what it comes from; what is hidden stays so."""
    if finding.outcome is not rules.Outcome.UNKNOWN:
        return False
    resource = plan.resource(finding.address)
    value = resource.get(finding.path) if resource is not None and finding.path else None
    return not _hides(value) and (value is UNKNOWN or UNTIL_APPLY in finding.message)


def _hides(value: object) -> bool:
    """Whether something in it is sensitive."""
    if isinstance(value, dict | list):
        return any(map(_hides, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Sensitive)
