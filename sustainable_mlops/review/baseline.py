"""The baseline: findings that are already known, so that a review assesses only new findings.

{"baseline": [
  {"kind": "fail", "id": "SUS_TAGS", "address": "aws_s3_bucket.b", "path": "tags_all", "what": "no tag for owner"}
]}

A baseline contains lasting states only: findings of rules and of checkov, and coverage gaps. It contains no risks,
because a risk is an effect of one plan; accept a risk in accepted.yaml with a reason and a date. It contains neither
budgets nor changes of resources that nothing here reviews.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.review import input_files
from sustainable_mlops.review.assessment import FindingAssessment
from sustainable_mlops.review.coverage_gaps import CoverageGap, GapKind
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level
from sustainable_mlops.rules import Outcome

if TYPE_CHECKING:
    from sustainable_mlops.review.checkov import CheckovFinding

KNOWN_BEFORE = "in the baseline"

_KEY = "baseline"
_COVERAGE_GAP, _CHECKOV = "coverage_gap", "checkov"
_KINDS = (Outcome.FAIL.value, Outcome.UNKNOWN.value, _COVERAGE_GAP, _CHECKOV)
#: A change of an existing resource is new, even if the baseline has its coverage gap.
_CHANGE_ACTIONS = ("update", "replace", "delete", "forget")
#: Separate numbers, not those in names, versions and addresses.
_NUMBER = LazyPattern(r"(?<![\w.:/-])\d[\d,.]*(?![\w:/-])")


class BaselineEntry(NamedTuple):
    """One known finding. All fields together identify it."""

    kind: str  # outcome of a rule, "coverage_gap" or "checkov"
    id: str  # rule, kind of coverage gap, or check of checkov
    address: str
    path: str
    what: str
    plan: str = ""  # name of the plan, if several plans are reviewed together

    def mask_numbers(self) -> "BaselineEntry":
        """Return the entry with each number replaced, to compare texts whose figures changed."""
        return self._replace(what=_NUMBER.sub("#", self.what))


_ORDER = ("plan", *BaselineEntry._fields[:-1])


class Baseline(NamedTuple):
    """The entries of a baseline file."""

    entries: frozenset[BaselineEntry]

    def select_entries(self, plan: str, *, is_single: bool) -> frozenset[BaselineEntry]:
        """Return the entries of a plan. With `is_single`, entries without a plan name count too."""
        plan_names = {plan, ""} if is_single else {plan}
        return frozenset(entry._replace(plan="") for entry in self.entries if entry.plan in plan_names)


def read_baseline(path: Path) -> Baseline:
    """Return the baseline in a file. Raises UserError with the location of an invalid entry."""
    return Baseline(
        frozenset(_parse_entry(entry, location) for entry, location in input_files.read_entries(path, _KEY))
    )


def _parse_entry(entry: dict[str, Any], location: str) -> BaselineEntry:
    input_files.check_keys(entry, set(BaselineEntry._fields), location)
    required = {
        key: input_files.get_text(entry, key, location, required=True) or ""
        for key in ("kind", "id", "address", "what")
    }
    if required["kind"] not in _KINDS:
        raise UserError(f"{location}.kind: must be one of {', '.join(_KINDS)}, not {required['kind']}")
    return BaselineEntry(
        **required, **{key: input_files.get_text(entry, key, location) or "" for key in ("path", "plan")}
    )


def render_baseline(reviews: Sequence[Review], suffix: str) -> str:
    """Return a sorted baseline of the reviews, one entry per line, in JSON or else in YAML."""
    is_single = len(reviews) == 1
    entries = {
        entry if is_single else entry._replace(plan=review.name)
        for review in reviews
        for entry in _list_entries(review)
    }
    sorted_entries = sorted(entries, key=lambda entry: (entry.plan, *entry[:-1]))
    rows = [{key: value for key in _ORDER if (value := getattr(entry, key))} for entry in sorted_entries]
    if suffix != ".json":
        import yaml

        document = {_KEY: rows}
        # None writes each entry on one line, however long.
        return str(
            yaml.safe_dump(document, default_flow_style=None, width=1_000_000, sort_keys=False, allow_unicode=True)
        )
    lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in rows)
    return f'{{"{_KEY}": [\n{lines}\n]}}\n' if lines else f'{{"{_KEY}": []}}\n'


def _list_entries(review: Review) -> Iterator[BaselineEntry]:
    yield from (_build_finding_entry(assessment) for assessment in review.findings if _needs_baseline(assessment))
    yield from (_build_gap_entry(gap) for gap in review.coverage_gaps if _is_lasting_gap(gap))
    if review.checkov_result is not None:
        yield from map(_build_check_entry, review.checkov_result.failed)
        known_checks = (check for check in review.checkov_result.explained if check.reason == KNOWN_BEFORE)
        yield from map(_build_check_entry, known_checks)


def _needs_baseline(assessment: FindingAssessment) -> bool:
    """Return whether the finding is a lasting state that would be reported without a baseline."""
    return not assessment.rule.is_about_change and assessment._replace(in_baseline=False).level in (
        Level.STOP,
        Level.LOOK,
    )


def _build_finding_entry(assessment: FindingAssessment) -> BaselineEntry:
    finding = assessment.finding
    return BaselineEntry(str(finding.outcome), finding.rule, finding.address, finding.path, finding.message)


def _is_lasting_gap(gap: CoverageGap) -> bool:
    """Return whether the gap is a lasting state. A command is an event: it runs at each apply."""
    return gap.kind is not GapKind.COMMAND


def _build_gap_entry(gap: CoverageGap) -> BaselineEntry:
    return BaselineEntry(_COVERAGE_GAP, str(gap.kind), gap.address, "", gap.description)


def _build_check_entry(check: "CheckovFinding") -> BaselineEntry:
    return BaselineEntry(_CHECKOV, check.check, check.address, "", check.name)


def apply_baseline(reviews: Sequence[Review], baseline: Baseline) -> list[Review]:
    """Return the reviews with findings of the baseline lowered to the level `note`."""
    is_single = len(reviews) == 1
    return [
        _apply_to_review(review, baseline.select_entries(review.name, is_single=is_single), baseline)
        for review in reviews
    ]


def _apply_to_review(review: Review, entries: frozenset[BaselineEntry], baseline: Baseline) -> Review:
    entries_without_numbers = {entry.mask_numbers() for entry in entries}

    def is_in_baseline(entry: BaselineEntry, *, is_changed: bool) -> bool:
        """Return whether the baseline has the entry; figures may differ unless the plan changes the resource."""
        return entry in entries or (not is_changed and entry.mask_numbers() in entries_without_numbers)

    actions = {change.address: change.action for change in review.changes}
    findings = [
        assessment._replace(in_baseline=True)
        if _needs_baseline(assessment)
        and is_in_baseline(_build_finding_entry(assessment), is_changed=assessment.is_touched)
        else assessment
        for assessment in review.findings
    ]
    gaps = [
        gap._replace(in_baseline=True, level=Level.NOTE)
        if _is_lasting_gap(gap)
        and actions.get(gap.address) not in _CHANGE_ACTIONS
        and is_in_baseline(_build_gap_entry(gap), is_changed=True)
        else gap
        for gap in review.coverage_gaps
    ]
    builtin = review.checkov_result
    if builtin is not None:
        known_checks = [
            check._replace(reason=KNOWN_BEFORE)
            for check in builtin.failed
            if is_in_baseline(_build_check_entry(check), is_changed=True)
        ]
        failed = [check for check in builtin.failed if not is_in_baseline(_build_check_entry(check), is_changed=True)]
        builtin = builtin._replace(failed=failed, explained=[*builtin.explained, *known_checks])
    remarks = (*review.remarks, *_list_baseline_remarks(review, entries, baseline))
    return review._replace(findings=tuple(findings), coverage_gaps=tuple(gaps), checkov_result=builtin, remarks=remarks)


def _list_baseline_remarks(review: Review, entries: Iterable[BaselineEntry], baseline: Baseline) -> Iterator[str]:
    """Yield remarks about stale entries of the baseline.

    Coverage gaps are not counted: a review reports them only for some unchanged resources.
    """
    current = {(assessment.finding.rule, assessment.finding.address) for assessment in review.findings}
    if review.checkov_result is not None:
        current |= {
            (check.check, check.address) for check in (*review.checkov_result.failed, *review.checkov_result.explained)
        }
    skipped = {_COVERAGE_GAP} if review.checkov_result is not None else {_COVERAGE_GAP, _CHECKOV}
    stale_count = sum(entry.kind not in skipped and (entry.id, entry.address) not in current for entry in entries)
    if stale_count:
        entries_are = "entries of the baseline are" if stale_count > 1 else "entry of the baseline is"
        yield f"{stale_count} {entries_are} resolved: write the baseline again with --write-baseline"
    if baseline.entries and not entries:
        plans = ", ".join(sorted({entry.plan for entry in baseline.entries if entry.plan})) or "a single plan"
        yield f"the baseline has no entry for {review.name}, only for {plans}"
