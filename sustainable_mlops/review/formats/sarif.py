"""The review as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), for code scanning."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from sustainable_mlops import __version__, rules
from sustainable_mlops.review.assessment import RiskAssessment
from sustainable_mlops.review.baseline import KNOWN_BEFORE
from sustainable_mlops.review.budgets import BudgetResult, BudgetStatus
from sustainable_mlops.review.formats.wording import format_budget, format_coverage_gap, shorten
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import RISK_TITLES, Level

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Level.STOP: "error", Level.LOOK: "warning", Level.NOTE: "note"}
_FINGERPRINT = "ruleAndAddress/v1"
_BUDGET = "BUDGET"
_UNSEEN = "UNSEEN"
_SCOPE = "SCOPE"
_TITLES = {
    **RISK_TITLES,
    _BUDGET: "A budget is exceeded or cannot be held",
    _SCOPE: "The plan changes more than it may",
    _UNSEEN: "Something that this review does not see",
}


def render(review: Review) -> str:
    """The document as text."""
    return render_several([review])


def render_several(reviews: Sequence[Review]) -> str:
    """One run with the results of all plans, each at its own file."""
    return json.dumps(document(reviews), indent=2, ensure_ascii=False) + "\n"


def document(reviews: Sequence[Review]) -> dict[str, Any]:
    """The document. Rules that are kept and what is only for the record are left out."""
    results = [result for review in reviews for result in _results(review, several=len(reviews) > 1)]
    ids = {rule: index for index, rule in enumerate(sorted({result["ruleId"] for result in results}))}
    for result in results:
        result["ruleIndex"] = ids[result["ruleId"]]
    driver = {
        "name": "sustainable-mlops",
        "version": __version__,
        "rules": [_rule(rule_id) for rule_id in ids],
    }
    told = [_notification(review, text) for review in reviews for text in (*review.notes, *review.remarks)]
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": told}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _notification(review: Review, text: str) -> dict[str, Any]:
    """What holds of the plan as a whole."""
    location = {"physicalLocation": {"artifactLocation": {"uri": _uri(review.name)}}}
    level = "warning" if text in review.notes else "note"
    return {"level": level, "message": {"text": _plain(text)}, "locations": [location]}


def _results(review: Review, *, several: bool) -> Iterator[dict[str, Any]]:
    for result in (*_scope(review), *_risks(review), *_unseen(review), *_findings(review), *_budgets(review)):
        if several:  # what is found in one plan is not what is found in another
            key = f"{review.name}\n{result['partialFingerprints'][_FINGERPRINT]}"
            result["partialFingerprints"] = {_FINGERPRINT: sha256(key.encode()).hexdigest()}
        yield result


def _rule(rule_id: str) -> dict[str, Any]:
    rule = rules.BY_ID.get(rule_id)
    if rule is None:
        title = _TITLES[rule_id]
        return {"id": rule_id, "shortDescription": {"text": _plain(title)}, "help": {"text": _plain(title)}}
    level = {"fail": "error", "warn": "warning", "info": "note"}[rule.severity]
    return {
        "id": rule_id,
        "shortDescription": {"text": _plain(rule.title)},
        "help": {"text": _plain(f"{rule.fix} {rule.guideline}.")},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["sustainability", *(f"practice-{practice}" for practice in rule.practices)]},
    }


def _scope(review: Review) -> Iterator[dict[str, Any]]:
    for gate in review.gates:
        if gate.name == "only" and gate.level is not None:
            yield _result(review, _SCOPE, gate.level, review.name, gate.text)


def _risks(review: Review) -> Iterator[dict[str, Any]]:
    for one in review.risks:
        if one.risk.level is not Level.NOTE:
            yield _of_risk(review, one)


def _of_risk(review: Review, one: RiskAssessment) -> dict[str, Any]:
    message = f"{one.risk.description}. {one.risk.fix}" if one.risk.fix else one.risk.description
    result = _result(review, one.risk.id, one.risk.level, one.risk.address, message)
    if one.acceptance:
        result["suppressions"] = [{"kind": "external", "justification": _plain(one.acceptance.reason)}]
    return result


def _findings(review: Review) -> Iterator[dict[str, Any]]:
    for one in review.findings:
        finding, level = one.finding, one.level
        if one.until_apply:
            continue
        start = "cannot tell: " if finding.outcome is rules.Outcome.UNKNOWN else ""
        message = f"{start}{finding.message}. {one.rule.fix}"
        result = _result(review, finding.rule, level, finding.address, message, finding.path)
        why = finding.message if finding.outcome is rules.Outcome.WAIVED else KNOWN_BEFORE if one.in_baseline else ""
        if why:
            result["suppressions"] = [{"kind": "external", "justification": _plain(why)}]
        yield result


def _unseen(review: Review) -> Iterator[dict[str, Any]]:
    for one in review.coverage_gaps:
        if one.level is not Level.NOTE:
            yield _result(review, _UNSEEN, one.level, one.address, format_coverage_gap(one))


def _budgets(review: Review) -> Iterator[dict[str, Any]]:
    levels = {BudgetStatus.OVER: Level.STOP, BudgetStatus.UNKNOWN: Level.LOOK}
    for one in review.budgets:
        if one.status in levels:
            yield _result(review, _BUDGET, levels[one.status], one.budget, _budget_message(one), one.limit)


def _budget_message(one: BudgetResult) -> str:
    return f"{one.budget}, {one.description}: {format_budget(one)}"


def _result(review: Review, rule: str, level: Level, address: str, message: str, path: str = "") -> dict[str, Any]:
    place = f"{address}.{path}" if path else address
    return {
        "ruleId": rule,
        "level": _LEVELS[level],
        "message": {"text": _plain(f"{address}: {message}")},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(review.name)}, "region": {"startLine": 1}},
                "logicalLocations": [
                    {
                        "name": _untagged(shorten(address)),
                        "fullyQualifiedName": _untagged(shorten(place)),
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {_FINGERPRINT: sha256(f"{rule}\n{place}\n{message}".encode()).hexdigest()},
    }


def _plain(text: str) -> str:
    """Plain text in which viewers find no link: SARIF makes links of `[text](target)` (§3.11.6)."""
    return _untagged(shorten(text, 2000).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]"))


def _untagged(text: str) -> str:
    """Without angle brackets: SARIF's texts are no HTML, but not every viewer knows."""
    return text.replace("<", "‹").replace(">", "›")  # noqa: RUF001


def _uri(name: str) -> str:
    """A relative reference (RFC 3986) to the plan's file."""
    from urllib.parse import quote

    return quote(name.removeprefix("./"), safe="/-._~") if not name.startswith("/") else "file://" + quote(name)
