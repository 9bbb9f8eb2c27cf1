"""Every rule over every resource that it looks at, with waivers applied."""

from collections.abc import Iterable
from datetime import date

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules import waivers
from sustainable_mlops.rules.rule import Finding, Outcome, Rule, Verdict


def evaluate(plan: Plan, rules: Iterable[Rule], today: date | None = None) -> list[Finding]:
    """What the rules find, in the order of the rules, then of the plan.

    No finding for a resource means that the rule does not apply to it. A waiver turns a failed or unknown finding into
    a waived one; one that has expired or cannot be read fails, and the message says so. `today` is the day to judge
    waivers by.
    """
    waivers.TODAY.set(today or date.today())
    subjects: dict[tuple[tuple[str, ...], bool], list[Resource]] = {}  # many rules look at the same types
    found: list[Finding] = []
    for rule in rules:
        key = rule.types, rule.deleted
        if key not in subjects:
            subjects[key] = _subjects(plan, rule)
        for resource in subjects[key]:
            found += _findings(plan, rule, resource)
    return found


def _subjects(plan: Plan, rule: Rule) -> list[Resource]:
    found = plan.resources if "*" in rule.types else plan.by_type(*rule.types)
    return [resource for resource in found if resource.deposed is None and (rule.deleted or resource.exists())]


def _findings(plan: Plan, rule: Rule, resource: Resource) -> list[Finding]:
    """What holds of each of several variants alike is said once."""
    verdicts = list(rule.check(plan, resource))
    if len(verdicts) > 1:
        verdicts = list(dict.fromkeys(verdicts))
    return [_finding(plan, rule, resource, verdict) for verdict in verdicts]


def _finding(plan: Plan, rule: Rule, resource: Resource, verdict: Verdict) -> Finding:
    outcome, message, path = verdict
    if outcome in (Outcome.FAIL, Outcome.UNKNOWN):
        waiver = waivers.find(plan, resource, rule.id)
        if waiver is not None and waiver.problem:
            outcome, message = Outcome.FAIL, f"{message}; {waiver.problem}"
        elif waiver is not None:
            outcome, message = Outcome.WAIVED, f"{message}; waived until {waiver.until}: {waiver.reason}"
    return Finding(rule.id, resource.address, outcome, message, path)
