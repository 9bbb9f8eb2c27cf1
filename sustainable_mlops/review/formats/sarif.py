"""The SARIF 2.1.0 report (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), for code scanning."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from sustainable_mlops import __version__, rules
from sustainable_mlops.review.assessment import RiskAssessment
from sustainable_mlops.review.baseline import KNOWN_BEFORE
from sustainable_mlops.review.budgets import BudgetResult
from sustainable_mlops.review.formats.items import UNDECIDED, list_items
from sustainable_mlops.review.formats.wording import (
    COST_LIMIT_FIX,
    format_budget,
    format_coverage_gap,
    format_description,
    shorten,
)
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import RISK_TITLES, Level

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Level.STOP: "error", Level.LOOK: "warning", Level.NOTE: "note"}
_FINGERPRINT = "ruleAndAddress/v1"
_BUDGET = "BUDGET"
_COST_LIMIT = "COST_LIMIT"
_COVERAGE_GAP = "COVERAGE_GAP"
_SCOPE = "SCOPE"
_UNDECIDED = "UNDECIDED"
_TITLES = {
    **RISK_TITLES,
    _BUDGET: "A budget is exceeded or undecided",
    _COST_LIMIT: "The plan adds more cost than the limit",
    _SCOPE: "The plan changes resources outside its scope",
    _UNDECIDED: "Rules have no outcome on a resource",
    _COVERAGE_GAP: "A part of the plan that this review does not cover",
}


def render(review: Review) -> str:
    """Return the document of a review as text."""
    return render_several([review])


def render_several(reviews: Sequence[Review]) -> str:
    """Return one run with the results of all plans, each with its own file."""
    return json.dumps(build_document(reviews), indent=2, ensure_ascii=False) + "\n"


def build_document(reviews: Sequence[Review]) -> dict[str, Any]:
    """Return the document, without passed rules and items for the record."""
    results = [result for review in reviews for result in _list_results(review, are_several=len(reviews) > 1)]
    ids = {rule: index for index, rule in enumerate(sorted({result["ruleId"] for result in results}))}
    for result in results:
        result["ruleIndex"] = ids[result["ruleId"]]
    driver = {
        "name": "sustainable-mlops",
        "version": __version__,
        "rules": [_build_rule(rule_id) for rule_id in ids],
    }
    notifications = [
        _build_notification(review, text) for review in reviews for text in (*review.notes, *review.remarks)
    ]
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": notifications}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _build_notification(review: Review, text: str) -> dict[str, Any]:
    """Return a notification about the plan as a whole."""
    location = {"physicalLocation": {"artifactLocation": {"uri": _build_uri(review.name)}}}
    level = "warning" if text in review.notes else "note"
    return {"level": level, "message": {"text": _escape_links(text)}, "locations": [location]}


def _list_results(review: Review, *, are_several: bool) -> Iterator[dict[str, Any]]:
    for result in (
        *_list_scope_results(review),
        *_list_risk_results(review),
        *_list_gap_results(review),
        *_list_finding_results(review),
        *_list_undecided_results(review),
        *_list_budget_results(review),
        *_list_cost_results(review),
    ):
        if are_several:  # equal results of different plans need different fingerprints
            key = f"{review.name}\n{result['partialFingerprints'][_FINGERPRINT]}"
            result["partialFingerprints"] = {_FINGERPRINT: sha256(key.encode()).hexdigest()}
        yield result


def _build_rule(rule_id: str) -> dict[str, Any]:
    rule = rules.BY_ID.get(rule_id)
    if rule is None:
        title = _TITLES[rule_id]
        return {
            "id": rule_id,
            "shortDescription": {"text": _escape_links(title)},
            "help": {"text": _escape_links(title)},
        }
    level = {"fail": "error", "warn": "warning", "info": "note"}[rule.severity]
    return {
        "id": rule_id,
        "shortDescription": {"text": _escape_links(rule.problem)},
        "fullDescription": {"text": _escape_links(rule.title)},
        "help": _build_help(rule),
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["sustainability", *(f"practice-{practice}" for practice in rule.practices)]},
    }


def _build_help(rule: rules.Rule) -> dict[str, str]:
    text = _escape_links(f"{rule.fix} {rule.guideline}.")
    return {"text": text, "markdown": f"{text}\n\n```hcl\n{rule.fix_code}```"} if rule.fix_code else {"text": text}


def _list_scope_results(review: Review) -> Iterator[dict[str, Any]]:
    for gate in review.gates:
        if gate.name == "scope" and gate.level is not None:
            yield _build_result(review, _SCOPE, gate.level, review.name, gate.text)


def _list_risk_results(review: Review) -> Iterator[dict[str, Any]]:
    for assessment in review.risks:
        if assessment.risk.level is not Level.NOTE:
            yield _build_risk_result(review, assessment)


def _build_risk_result(review: Review, assessment: RiskAssessment) -> dict[str, Any]:
    description = format_description(assessment.risk)
    message = f"{description}. {assessment.risk.fix}" if assessment.risk.fix else description
    result = _build_result(review, assessment.risk.id, assessment.risk.level, assessment.risk.address, message)
    if assessment.acceptance:
        result["suppressions"] = [{"kind": "external", "justification": _escape_links(assessment.acceptance.reason)}]
    return result


def _list_finding_results(review: Review) -> Iterator[dict[str, Any]]:
    for assessment in review.findings:
        finding, level = assessment.finding, assessment.level
        if assessment.until_apply or assessment.is_open:
            continue
        message = f"{finding.message}. {assessment.rule.fix}"
        result = _build_result(review, finding.rule, level, finding.address, message, finding.path)
        reason = (
            finding.message
            if finding.outcome is rules.Outcome.WAIVED
            else KNOWN_BEFORE
            if assessment.in_baseline
            else ""
        )
        if reason:
            result["suppressions"] = [{"kind": "external", "justification": _escape_links(reason)}]
        yield result


def _list_undecided_results(review: Review) -> Iterator[dict[str, Any]]:
    """Yield one result per resource: the problem of a rule without an outcome may not exist."""
    for item in list_items(review):
        if item.topic == UNDECIDED:
            yield _build_result(review, _UNDECIDED, item.level, item.address, f"undecided: {item.text} ({item.source})")


def _list_gap_results(review: Review) -> Iterator[dict[str, Any]]:
    for gap in review.coverage_gaps:
        if gap.level is not Level.NOTE:
            yield _build_result(review, _COVERAGE_GAP, gap.level, gap.address, format_coverage_gap(gap))


def _list_budget_results(review: Review) -> Iterator[dict[str, Any]]:
    for result in review.budgets:
        if result.level is not None and result.level is not Level.NOTE:
            yield _build_result(
                review, _BUDGET, result.level, result.budget, _format_budget_message(result), result.limit
            )


def _list_cost_results(review: Review) -> Iterator[dict[str, Any]]:
    for gate in review.gates:
        if gate.name == "limit" and gate.level is not None:
            yield _build_result(review, _COST_LIMIT, gate.level, review.name, f"{gate.text}. {COST_LIMIT_FIX}")


def _format_budget_message(result: BudgetResult) -> str:
    return f"{result.budget}, {result.description}: {format_budget(result)}"


def _build_result(
    review: Review, rule: str, level: Level, address: str, message: str, path: str = ""
) -> dict[str, Any]:
    location = f"{address}.{path}" if path else address
    return {
        "ruleId": rule,
        "level": _LEVELS[level],
        "message": {"text": _escape_links(f"{address}: {message}")},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _build_uri(review.name)}, "region": {"startLine": 1}},
                "logicalLocations": [
                    {
                        "name": _escape_tags(shorten(address)),
                        "fullyQualifiedName": _escape_tags(shorten(location)),
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {_FINGERPRINT: sha256(f"{rule}\n{location}\n{message}".encode()).hexdigest()},
    }


def _escape_links(text: str) -> str:
    """Return plain text without links: SARIF interprets `[text](target)` (§3.11.6)."""
    return _escape_tags(shorten(text, 2000).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]"))


def _escape_tags(text: str) -> str:
    """Return the text without angle brackets, because some viewers interpret SARIF text as HTML."""
    return text.replace("<", "‹").replace(">", "›")  # noqa: RUF001


def _build_uri(name: str) -> str:
    """Return a relative reference (RFC 3986) to the file of the plan."""
    from urllib.parse import quote

    return quote(name.removeprefix("./"), safe="/-._~") if not name.startswith("/") else "file://" + quote(name)
