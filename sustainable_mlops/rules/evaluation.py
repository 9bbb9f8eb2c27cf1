"""Evaluation of rules for the resources of a plan, with waivers applied."""

from collections.abc import Iterable
from datetime import date

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules import waivers
from sustainable_mlops.rules.rule import Finding, Outcome, Rule, RuleResult


def evaluate(plan: Plan, rules: Iterable[Rule], today: date | None = None) -> list[Finding]:
    """Return the findings of the rules, in the order of the rules, then of the plan.

    A rule without a finding for a resource does not apply to it. A waiver changes a failed or unknown finding to a
    waived one. An expired or invalid waiver leaves the finding failed, and the message says so. `today` is the date
    for waivers.
    """
    waivers.TODAY.set(today or date.today())
    subjects: dict[tuple[tuple[str, ...], bool], list[Resource]] = {}  # many rules check the same types
    findings: list[Finding] = []
    for rule in rules:
        key = rule.types, rule.includes_deleted
        if key not in subjects:
            subjects[key] = _list_subjects(plan, rule)
        for resource in subjects[key]:
            # Equal results, as for several variants, are reported once.
            findings += [_build_finding(plan, rule, resource, r) for r in dict.fromkeys(rule.check(plan, resource))]
    return findings


def _list_subjects(plan: Plan, rule: Rule) -> list[Resource]:
    resources = plan.resources if "*" in rule.types else plan.list_by_type(*rule.types)
    return [
        resource for resource in resources if resource.deposed is None and (rule.includes_deleted or resource.exists())
    ]


def _build_finding(plan: Plan, rule: Rule, resource: Resource, result: RuleResult) -> Finding:
    outcome, message, path = result
    if outcome in (Outcome.FAIL, Outcome.UNKNOWN):
        waiver = waivers.find_waiver(plan, resource, rule.id)
        if waiver is not None and waiver.problem:
            outcome, message = Outcome.FAIL, f"{message}; {waiver.problem}"
        elif waiver is not None:
            outcome, message = Outcome.WAIVED, f"{message}; waived until {waiver.until}: {waiver.reason}"
    return Finding(rule.id, resource.address, outcome, message, path)
