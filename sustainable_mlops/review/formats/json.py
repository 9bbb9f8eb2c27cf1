"""The review as JSON, by the schema in `review.schema.json`: exact, complete, the same for the same plan."""

import json
from dataclasses import asdict
from typing import Any

from sustainable_mlops import rules
from sustainable_mlops.review.budgets import BudgetResult
from sustainable_mlops.review.review import JudgedRisk, Review, level_of

#: Raised in its first part where something is taken away or changes its meaning, in its second where it is added.
VERSION = "1.1"


def render(review: Review) -> str:
    """The document as text."""
    return json.dumps(document(review), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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
            "counts": review.counts(),
            "unchanged": review.unchanged,
            "resources": [asdict(change) for change in review.changes],
        },
        "risks": [_risk(one) for one in review.risks],
        "findings": [_finding(one) for one in review.findings if one.outcome is not rules.Outcome.PASS],
        "rules_kept": sum(one.outcome is rules.Outcome.PASS for one in review.findings),
        "footprint": review.footprint.to_dict(),
        "alternatives": [one.to_dict() for one in review.alternatives],
        "budgets": [_budget(one) for one in review.budgets],
        "notes": list(review.notes),
        "checkov": None if review.builtin is None else asdict(review.builtin),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _risk(one: JudgedRisk) -> dict[str, Any]:
    risk, acceptance = one.risk, one.accepted or one.expired
    return {
        "id": risk.id,
        "section": str(risk.section),
        "level": str(one.level),
        "address": risk.address,
        "what": risk.what,
        "fix": risk.fix,
        "known": risk.known,
        "acceptance": None
        if acceptance is None
        else {"reason": acceptance.reason, "until": str(acceptance.until), "expired": one.accepted is None},
    }


def _finding(one: rules.Finding) -> dict[str, Any]:
    rule = rules.BY_ID[one.rule]
    return {
        "rule": one.rule,
        "severity": str(rule.severity),
        "title": rule.title,
        "practices": list(rule.practices),
        "guideline": rule.guideline,
        "outcome": str(one.outcome),
        "level": _text(level_of(one)),
        "address": one.address,
        "path": one.path,
        "message": one.message,
        "fix": rule.fix,
    }


def _budget(one: BudgetResult) -> dict[str, Any]:
    return {
        "budget": one.budget,
        "limit": one.limit,
        "allowed": one.allowed,
        "held": str(one.held),
        "end": "high" if one.high else "expected",
        "figure": None if one.figure is None else one.figure.to_dict(),
        "unknown": list(one.unknown),
    }
