"""The reviews of all cases, and their differences from the expectations."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from sustainable_mlops.plan import load
from sustainable_mlops.review import ReviewVerdict, review
from sustainable_mlops.review.formats import render
from tests.plan.plan_builder import build_change, build_document
from tests.review.adversarial.cases import EVERYDAY, LISTED, Case, list_cases
from tests.review.adversarial.plans import PROVIDERS, plan_cases
from tests.review.adversarial.plans_without_provider import MANUAL_CHANGES
from tests.review.adversarial.second_plans_without_provider import SECOND_MANUAL_CHANGES

#: The date for waivers; no case has one.
_TODAY = date(2026, 6, 1)
_TYPE = re.compile(r"\b(?:aws|awscc|terraform)_\w+(?:\.\w+)?")
_LEVELS = ("look", "stop")


class Fault(StrEnum):
    """A difference between a review and the expectation."""

    WRONG_FINE = "wrong fine"
    TOO_MILD = "look, not stop"
    OTHER_REASON = "another reason"
    FALSE_ALARM = "false alarm"


@dataclass(frozen=True)
class Result:
    """The review of a change, or of its reverse."""

    case: Case
    is_reverse: bool
    verdict: str
    #: The texts of findings that need a look.
    reasons: tuple[str, ...]
    #: True if the figures or the list of uncounted parts contain a changed resource.
    is_counted: bool

    def __str__(self) -> str:
        return f"{self.case}{' (reverse)' if self.is_reverse else ''}"

    @property
    def must_be_fine(self) -> bool:
        """True for a reverse change and for an everyday change."""
        return self.is_reverse or self.case.cause == EVERYDAY

    @property
    def fault(self) -> Fault | None:
        """The difference from the expectation; None if there is none."""
        expected = self.case.verdict
        if self.must_be_fine:
            return None if self.verdict == ReviewVerdict.FINE else Fault.FALSE_ALARM
        if expected == LISTED:
            return None if self.is_counted else Fault.WRONG_FINE
        if self.verdict == ReviewVerdict.FINE:
            return Fault.WRONG_FINE
        if expected == ReviewVerdict.STOP and self.verdict != ReviewVerdict.STOP:
            return Fault.TOO_MILD
        text = _TYPE.sub(" ", " ".join(self.reasons)).lower()
        return None if any(word.lower() in text for word in self.case.words) else Fault.OTHER_REASON


def review_cases(folder: Path, is_included: Callable[[Case], bool] = lambda _: True) -> list[Result]:
    """Return the results of all cases, or of those included, which Terraform plans in an empty folder."""
    cases = filter(is_included, list_cases())
    plans = [*plan_cases(cases, folder), *(plan for plan in _build_manual_cases() if is_included(plan[0]))]
    return [_review(case, is_reverse, plan) for case, is_reverse, plan in plans]


def _build_manual_cases() -> Iterator[tuple[Case, bool, dict[str, Any]]]:
    for name, change in (MANUAL_CHANGES | SECOND_MANUAL_CHANGES).items():
        is_second = name in SECOND_MANUAL_CHANGES
        case = Case(change.cause, f"manual_{name}", "", change.verdict, change.words, change.reverse, is_second)
        address = f"{change.kind}.this"
        before, after = (dict(values) if values else None for values in (change.before, change.after))
        yield case, False, _build_document(build_change(address, after, before=before))
        if not case.reverse and case.cause != EVERYDAY:
            yield case, True, _build_document(build_change(address, before, before=after))


def _build_document(change: dict[str, Any]) -> dict[str, Any]:
    return build_document(change, configuration={"provider_config": PROVIDERS, "root_module": {}})


def _review(case: Case, is_reverse: bool, plan: Mapping[str, Any]) -> Result:
    result = review(load(json.dumps(plan).encode(), "plan"), today=_TODAY)
    report = json.loads(render(result, "json"))
    return Result(case, is_reverse, str(result.verdict), tuple(_list_reasons(report)), _is_counted(report))


def _list_reasons(part: Any) -> Iterator[str]:
    """Yield the texts of each part of a report with the level look or stop."""
    if isinstance(part, dict) and part.get("level") in _LEVELS:
        yield from (text for key, text in part.items() if isinstance(text, str) and key not in ("name", "address"))
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _list_reasons(inner)


def _is_counted(report: Mapping[str, Any]) -> bool:
    footprint = report["footprint"]
    figures = [resource for resource in footprint["resources"] if resource["after"]["cost"] or resource["unknown"]]
    return bool(figures or footprint["unknown"] or report["coverage_gaps"])
