"""The JSON report, with the schema in `review.schema.json`: exact, complete and deterministic."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sustainable_mlops.review.assessment import FindingAssessment, RiskAssessment
from sustainable_mlops.review.budgets import BudgetResult
from sustainable_mlops.review.cost_limit import CostIncrease
from sustainable_mlops.review.coverage_gaps import CoverageGap
from sustainable_mlops.review.formats.bundle import rank_by_verdict
from sustainable_mlops.review.formats.headline import sum_footprints
from sustainable_mlops.review.formats.part_changes import describe_part_change
from sustainable_mlops.review.review import Review

#: Version of the schema. The first part changes with removed or changed keys, the second with new keys.
VERSION = "3.0"


def render(review: Review) -> str:
    """Return the document of a review as text."""
    return json.dumps(build_document(review), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def render_several(reviews: Sequence[Review]) -> str:
    """Return the document about several plans as text: the document of each plan, and the totals."""
    footprint = sum_footprints(reviews)
    counts = sum((Counter(review.count_changes()) for review in reviews), Counter[str]())
    document = {
        "schema_version": VERSION,
        "verdict": str(rank_by_verdict(reviews)[0].verdict),
        "exit_code": max(review.exit_code for review in reviews),
        "totals": {
            "changes": {"counts": dict(counts), "unchanged": sum(review.unchanged for review in reviews)},
            "before": footprint.before.to_dict(),
            "after": footprint.after.to_dict(),
            "delta": footprint.delta.to_dict(),
            "running": footprint.total_after.to_dict(),
        },
        "plans": [build_document(review) for review in reviews],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def build_document(review: Review) -> dict[str, Any]:
    """Return the document of a review."""
    return {
        "schema_version": VERSION,
        "plan": review.name,
        "verdict": str(review.verdict),
        "exit_code": review.exit_code,
        "gates": [
            {
                "name": gate.name,
                "level": _convert_to_text(gate.level),
                "text": gate.text,
                "stops": gate.name in review.fail_on,
            }
            for gate in review.gates
        ],
        "changes": {
            "counts": review.count_changes(),
            "unchanged": review.unchanged,
            "resources": [change._asdict() for change in review.changes],
        },
        "risks": [_build_risk(assessment) for assessment in review.risks],
        "findings": [_build_finding(assessment) for assessment in review.findings],
        "rules_passed": review.rules_passed,
        "coverage_gaps": [_build_coverage_gap(gap) for gap in review.coverage_gaps],
        "footprint": _build_footprint(review),
        "alternatives": [alternative.to_dict() for alternative in review.alternatives],
        "budgets": [_build_budget(result) for result in review.budgets],
        "cost_increase": _build_cost_increase(review.cost_increase),
        "notes": list(review.notes),
        "remarks": list(review.remarks),
        "checkov": _build_checkov(review),
    }


def _build_checkov(review: Review) -> dict[str, Any] | None:
    result = review.checkov_result
    if result is None:
        return None
    explained, failed = ([check._asdict() for check in checks] for checks in (result.explained, result.failed))
    return {"passed": result.passed, "explained": explained, "failed": failed}


def _build_footprint(review: Review) -> dict[str, Any]:
    """Return the footprint, with a text about each part as in the other formats."""
    footprint = review.footprint.to_dict()
    for resource, resource_dict in zip(review.footprint.resources, footprint["resources"], strict=True):
        for change, part in zip(resource.changes, resource_dict["parts"], strict=True):
            part["summary"] = describe_part_change(change).text
    return footprint


def _convert_to_text(value: object) -> str | None:
    return None if value is None else str(value)


def _build_risk(assessment: RiskAssessment) -> dict[str, Any]:
    risk, acceptance = assessment.risk, assessment.acceptance or assessment.expired_acceptance
    return {
        "id": risk.id,
        "area": str(risk.area),
        "level": str(assessment.level),
        "address": risk.address,
        "description": risk.description,
        "fix": risk.fix,
        "known": risk.is_known,
        "acceptance": None
        if acceptance is None
        else {"reason": acceptance.reason, "until": str(acceptance.until), "expired": assessment.acceptance is None},
    }


def _build_finding(assessment: FindingAssessment) -> dict[str, Any]:
    rule, finding = assessment.rule, assessment.finding
    return {
        "rule": rule.id,
        "severity": str(rule.severity),
        "title": rule.title,
        "problem": rule.problem,
        "practices": list(rule.practices),
        "guideline": rule.guideline,
        "outcome": str(finding.outcome),
        "level": _convert_to_text(assessment.level),
        "touched": assessment.is_touched,
        "until_apply": assessment.until_apply,
        "in_baseline": assessment.in_baseline,
        "address": finding.address,
        "path": finding.path,
        "message": finding.message,
        "fix": rule.fix,
    }


def _build_coverage_gap(gap: CoverageGap) -> dict[str, Any]:
    return {
        "kind": str(gap.kind),
        "address": gap.address,
        "description": gap.description,
        "level": str(gap.level),
        "in_baseline": gap.in_baseline,
    }


def _build_budget(result: BudgetResult) -> dict[str, Any]:
    return {
        "budget": result.budget,
        "limit": result.limit,
        "allowed": result.allowed,
        "status": str(result.status),
        "end": "high" if result.uses_high_end else "expected",
        "figure": None if result.figure is None else result.figure.to_dict(),
        "unknown": list(result.unknown),
        "plans": list(result.plans),
        "added_by": list(result.added_by),
    }


def _build_cost_increase(increase: CostIncrease | None) -> dict[str, Any] | None:
    if increase is None:
        return None
    return {
        "usd": increase.usd,
        "percent": increase.percent,
        "limit": {"usd": increase.limit.usd, "percent": increase.limit.percent},
        "over": increase.is_over,
        "bound": increase.bound,
        "plans": list(increase.plans),
    }
