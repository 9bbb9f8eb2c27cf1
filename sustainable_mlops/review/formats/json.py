"""The review as JSON, by the schema in `review.schema.json`: exact, complete, the same for the same plan."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sustainable_mlops.review.assessment import FindingAssessment, RiskAssessment
from sustainable_mlops.review.budgets import BudgetResult
from sustainable_mlops.review.coverage_gaps import CoverageGap
from sustainable_mlops.review.formats.bundle import rank_by_verdict, sum_footprints
from sustainable_mlops.review.formats.part_changes import describe_part_change
from sustainable_mlops.review.review import Review

#: Raised in its first part where something is taken away or changes its meaning, in its second where it is added.
VERSION = "1.3"


def render(review: Review) -> str:
    """The document as text."""
    return json.dumps(document(review), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def render_several(reviews: Sequence[Review]) -> str:
    """The document about several plans as text: the whole document of each, and the totals."""
    found = sum_footprints(reviews)
    counts = sum((Counter(review.count_changes()) for review in reviews), Counter[str]())
    several = {
        "schema_version": VERSION,
        "verdict": str(rank_by_verdict(reviews)[0].verdict),
        "exit_code": max(review.exit_code for review in reviews),
        "totals": {
            "changes": {"counts": dict(counts), "unchanged": sum(review.unchanged for review in reviews)},
            "before": found.before.to_dict(),
            "after": found.after.to_dict(),
            "delta": found.delta.to_dict(),
            "running": found.total_after.to_dict(),
        },
        "plans": [document(review) for review in reviews],
    }
    return json.dumps(several, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def document(review: Review) -> dict[str, Any]:
    """The document."""
    return {
        "schema_version": VERSION,
        "plan": review.name,
        "verdict": str(review.verdict),
        "exit_code": review.exit_code,
        "gates": [
            {"name": gate.name, "level": _text(gate.level), "text": gate.text, "stops": gate.name in review.fail_on}
            for gate in review.gates
        ],
        "changes": {
            "counts": review.count_changes(),
            "unchanged": review.unchanged,
            "resources": [asdict(change) for change in review.changes],
        },
        "risks": [_risk(one) for one in review.risks],
        "findings": [_finding(one) for one in review.findings],
        "rules_kept": review.rules_passed,
        "unseen": [_unseen(one) for one in review.coverage_gaps],
        "footprint": _footprint(review),
        "alternatives": [one.to_dict() for one in review.alternatives],
        "budgets": [_budget(one) for one in review.budgets],
        "notes": list(review.notes),
        "remarks": list(review.remarks),
        "checkov": None if review.checkov_result is None else asdict(review.checkov_result),
    }


def _footprint(review: Review) -> dict[str, Any]:
    """The footprint, with what each part is and becomes in the words of the other formats."""
    found = review.footprint.to_dict()
    for resource, told in zip(review.footprint.resources, found["resources"], strict=True):
        for change, part in zip(resource.changes, told["parts"], strict=True):
            part["thing"] = describe_part_change(change).text
    return found


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _risk(one: RiskAssessment) -> dict[str, Any]:
    risk, acceptance = one.risk, one.acceptance or one.expired_acceptance
    return {
        "id": risk.id,
        "section": str(risk.area),
        "level": str(one.level),
        "address": risk.address,
        "what": risk.description,
        "fix": risk.fix,
        "known": risk.is_known,
        "acceptance": None
        if acceptance is None
        else {"reason": acceptance.reason, "until": str(acceptance.until), "expired": one.acceptance is None},
    }


def _finding(one: FindingAssessment) -> dict[str, Any]:
    rule, finding = one.rule, one.finding
    return {
        "rule": rule.id,
        "severity": str(rule.severity),
        "title": rule.title,
        "practices": list(rule.practices),
        "guideline": rule.guideline,
        "outcome": str(finding.outcome),
        "level": _text(one.level),
        "touched": one.is_touched,
        "until_apply": one.until_apply,
        "known_before": one.in_baseline,
        "address": finding.address,
        "path": finding.path,
        "message": finding.message,
        "fix": rule.fix,
    }


def _unseen(one: CoverageGap) -> dict[str, Any]:
    return {
        "why": str(one.kind),
        "address": one.address,
        "what": one.description,
        "level": str(one.level),
        "known_before": one.in_baseline,
    }


def _budget(one: BudgetResult) -> dict[str, Any]:
    return {
        "budget": one.budget,
        "limit": one.limit,
        "allowed": one.allowed,
        "held": str(one.status),
        "end": "high" if one.uses_high_end else "expected",
        "figure": None if one.figure is None else one.figure.to_dict(),
        "unknown": list(one.unknown),
        "plans": list(one.plans),
    }
