"""Answers to the questions of the lens for a Terraform plan, as requests of UpdateAnswer, with the evidence as notes.

The findings of the rules decide: one failed or waived finding means that the plan does not follow the practice. A value
that is known only after apply leaves the practice open, as does a practice without rules.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sustainable_mlops import rules
from sustainable_mlops.plan import Plan
from sustainable_mlops.practices.lens import build_choice_id, build_none_id, join_within, list_practices
from sustainable_mlops.practices.practice import Practice
from sustainable_mlops.practices.questions import PILLARS, Question
from sustainable_mlops.rules import Finding, Outcome

#: Most characters of the notes of a choice and of a question. Source: API reference, "ChoiceUpdate", "UpdateAnswer".
MAX_CHOICE_NOTES = 250
MAX_QUESTION_NOTES = 2084
#: The reason of a choice or question that is not applicable. Source: API reference, "ChoiceUpdate".
OUT_OF_SCOPE = "OUT_OF_SCOPE"
#: Most addresses of a rule in the evidence.
_MAX_ADDRESSES = 3

Request = dict[str, Any]


class AnswerStatus(StrEnum):
    """Answer about one practice; the values are AWS's values, except `OPEN`, which a reviewer has to answer."""

    SELECTED = "SELECTED"
    UNSELECTED = "UNSELECTED"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class PracticeAnswer:
    """Answer about a practice; `evidence` are texts that name rules and addresses."""

    practice: Practice
    status: AnswerStatus
    evidence: tuple[str, ...]

    @property
    def choice_id(self) -> str:
        """ID of the choice in the lens."""
        return build_choice_id(self.practice)

    def format_notes(self, limit: int = MAX_CHOICE_NOTES) -> str:
        """Return the evidence in at most `limit` characters."""
        texts = [_shorten(text, limit - len("; and more")) for text in self.evidence]
        return join_within(texts, "; ", limit, "and more")


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """Answer to a question: the answers about its practices."""

    question: Question
    practices: tuple[PracticeAnswer, ...]

    @property
    def is_applicable(self) -> bool:
        """False if no rule of any practice of the question applies to the plan."""
        return any(answer.status is not AnswerStatus.NOT_APPLICABLE for answer in self.practices)

    @property
    def is_none_selected(self) -> bool:
        """True if the answer is `None of these`. AWS counts a question without a selected choice as unanswered."""
        statuses = {answer.status for answer in self.practices}
        return AnswerStatus.UNSELECTED in statuses and not statuses & {AnswerStatus.SELECTED, AnswerStatus.OPEN}

    def build_request(self, plan_name: str, workload_id: str, lens_alias: str) -> Request:
        """Return the request of UpdateAnswer."""
        updates = {one.choice_id: _build_update(one) for one in self.practices if one.status is not AnswerStatus.OPEN}
        if self.is_none_selected:
            updates[build_none_id(self.question)] = {"Status": str(AnswerStatus.SELECTED)}
        request: Request = {
            "WorkloadId": workload_id,
            "LensAlias": lens_alias,
            "QuestionId": self.question.id,
            "SelectedChoices": [id_ for id_, update in updates.items() if update["Status"] == AnswerStatus.SELECTED],
            "ChoiceUpdates": updates,
            "Notes": self._format_notes(plan_name),
            "IsApplicable": self.is_applicable,
        }
        return request if self.is_applicable else request | {"Reason": OUT_OF_SCOPE}

    def _format_notes(self, plan_name: str) -> str:
        """Return the evidence for all practices: first the open ones, which a reviewer has to answer."""
        answers = sorted(self.practices, key=lambda answer: answer.status is not AnswerStatus.OPEN)
        lines = [_shorten(f"Answers of smlops practices for {plan_name}.", MAX_QUESTION_NOTES // 2)]
        for answer in answers:
            words = answer.status.lower().replace("_", " ")
            lines.append(f"{answer.choice_id}, {words}: {answer.format_notes(MAX_QUESTION_NOTES // 4)}")
        return join_within(lines, "\n", MAX_QUESTION_NOTES, "The notes of the choices have more.")


def answer_questions(plan: Plan, today: date | None = None) -> list[QuestionAnswer]:
    """Return the answers to all questions, in the order of the lens. `today` is the date for waivers."""
    findings: dict[str, list[Finding]] = {}
    for finding in rules.evaluate(plan, today=today):
        findings.setdefault(finding.rule, []).append(finding)
    return [
        QuestionAnswer(question, tuple(_answer_practice(practice, findings) for practice in list_practices(question)))
        for pillar in PILLARS
        for question in pillar.questions
    ]


def build_requests(
    answers: Iterable[QuestionAnswer], plan_name: str, workload_id: str, lens_alias: str
) -> list[Request]:
    """Return the requests of UpdateAnswer, one for each question."""
    return [answer.build_request(plan_name, workload_id, lens_alias) for answer in answers]


def _answer_practice(practice: Practice, findings: dict[str, list[Finding]]) -> PracticeAnswer:
    if not practice.checked_by:
        return PracticeAnswer(practice, AnswerStatus.OPEN, ("no rule checks it",))
    relevant = [finding for rule in practice.checked_by for finding in findings.get(rule, ())]
    if not relevant:
        rule_ids = ", ".join(practice.checked_by)
        return PracticeAnswer(
            practice, AnswerStatus.NOT_APPLICABLE, (f"no resource of the plan is checked by {rule_ids}",)
        )
    not_met = [finding for finding in relevant if finding.outcome in (Outcome.FAIL, Outcome.WAIVED)]
    unknown = [finding for finding in relevant if finding.outcome is Outcome.UNKNOWN]
    if not_met:
        return PracticeAnswer(practice, AnswerStatus.UNSELECTED, tuple(_describe_findings(not_met)))
    if unknown:
        return PracticeAnswer(practice, AnswerStatus.OPEN, tuple(_describe_findings(unknown)))
    return PracticeAnswer(practice, AnswerStatus.SELECTED, tuple(_describe_findings(relevant)))


_VERBS = {
    Outcome.FAIL: "failed",
    Outcome.WAIVED: "is waived",
    Outcome.UNKNOWN: "depends on values known after apply",
    Outcome.PASS: "passed",
}


def _describe_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield one text for each rule and outcome: `SUS_X failed: aws_s3_bucket.a, aws_s3_bucket.b`."""
    addresses: dict[tuple[str, Outcome], dict[str, None]] = {}
    for finding in findings:
        addresses.setdefault((finding.rule, finding.outcome), {})[finding.address] = None
    for (rule, outcome), names in addresses.items():
        further = len(names) - _MAX_ADDRESSES
        more = f" and {further} more" if further > 0 else ""
        yield f"{rule} {_VERBS[outcome]}: {', '.join([*names][:_MAX_ADDRESSES])}{more}"


def _build_update(answer: PracticeAnswer) -> dict[str, str]:
    reason = {"Reason": OUT_OF_SCOPE} if answer.status is AnswerStatus.NOT_APPLICABLE else {}
    return {"Status": str(answer.status)} | reason | {"Notes": answer.format_notes()}


def _shorten(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters; a longer one ends with `…`."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
