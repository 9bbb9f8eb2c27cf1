"""The baseline: what a code base already has, so that only what is new is judged.

{"baseline": [
  {"kind": "fail", "id": "SUS_TAGS", "address": "aws_s3_bucket.b", "path": "tags_all", "what": "no tag says its owner"}
]}

Only a state may stand in it: what the rules and checkov find, and what no review sees. Risks never do, as each is
something that this very plan does to data or to privileges; one that is wanted stands in accepted.yaml, with a reason
and a day. Nor do budgets, or what a plan does to a resource that no review sees.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sustainable_mlops.errors import UserError
from sustainable_mlops.review import files
from sustainable_mlops.review.assessment import JudgedFinding
from sustainable_mlops.review.review import Review
from sustainable_mlops.review.risk import Level
from sustainable_mlops.review.coverage_gaps import Unseen, Why
from sustainable_mlops.rules import Outcome

if TYPE_CHECKING:
    from sustainable_mlops.checkov import Finding

KNOWN = "known before"

_KEY = "baseline"
_UNSEEN, _CHECKOV = "unseen", "checkov"
_KINDS = (Outcome.FAIL.value, Outcome.UNKNOWN.value, _UNSEEN, _CHECKOV)
#: What a plan does to something that is there already is new, whoever knew before that it is not seen.
_EVENTS = ("update", "replace", "delete", "forget")
#: Numbers by themselves, not those in names, versions and addresses.
_NUMBER = re.compile(r"(?<![\w.:/-])\d[\d,.]*(?![\w:/-])")


class Entry(NamedTuple):
    """One thing that was there before. Its parts are all that tells it from others."""

    kind: str  # a rule's outcome, "unseen" or "checkov"
    id: str  # the rule, why it is not seen, or checkov's check
    address: str
    path: str
    what: str
    plan: str = ""  # where several plans are reviewed together

    def without_numbers(self) -> "Entry":
        """The same, whatever its figures are."""
        return self._replace(what=_NUMBER.sub("#", self.what))


_ORDER = ("plan", *Entry._fields[:-1])


@dataclass(frozen=True)
class Baseline:
    """The entries of a file."""

    entries: frozenset[Entry]

    def of(self, plan: str, *, alone: bool) -> frozenset[Entry]:
        """Those of a plan; `alone` where it is reviewed by itself, as then it needs no name."""
        mine = {plan, ""} if alone else {plan}
        return frozenset(one._replace(plan="") for one in self.entries if one.plan in mine)


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file. Raises UserError naming the place of anything that cannot be used."""
    return Baseline(frozenset(_entry(entry, place) for entry, place in files.entries(path, _KEY)))


def _entry(entry: dict[str, Any], place: str) -> Entry:
    files.only(entry, set(Entry._fields), place)
    required = {key: files.text(entry, key, place, required=True) or "" for key in ("kind", "id", "address", "what")}
    if required["kind"] not in _KINDS:
        raise UserError(f"{place}.kind: must be one of {', '.join(_KINDS)}, not {required['kind']}")
    return Entry(**required, **{key: files.text(entry, key, place) or "" for key in ("path", "plan")})


def baseline_text(reviews: Sequence[Review], suffix: str) -> str:
    """All that may stand in a baseline, sorted, an entry a line, in JSON or, for other suffixes, in YAML."""
    alone = len(reviews) == 1
    found = {one if alone else one._replace(plan=review.name) for review in reviews for one in _entries(review)}
    ranked = sorted(found, key=lambda one: (one.plan, *one[:-1]))
    listed = [{key: value for key in _ORDER if (value := getattr(one, key))} for one in ranked]
    if suffix != ".json":
        import yaml

        whole = {_KEY: listed}
        # By None what holds no list or mapping is written in one line, however long.
        return str(yaml.safe_dump(whole, default_flow_style=None, width=1_000_000, sort_keys=False, allow_unicode=True))
    lines = ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in listed)
    return f'{{"{_KEY}": [\n{lines}\n]}}\n' if lines else f'{{"{_KEY}": []}}\n'


def _entries(review: Review) -> Iterator[Entry]:
    yield from (_of_finding(one) for one in review.findings if _is_judged(one))
    yield from (_of_unseen(one) for one in review.unseen if _stays(one))
    if review.builtin is not None:
        yield from map(_of_check, review.builtin.failed)
        yield from (_of_check(one) for one in review.builtin.explained if one.reason == KNOWN)


def _is_judged(one: JudgedFinding) -> bool:
    """Whether it is a state that somebody would have to answer for, were there no baseline."""
    return not one.rule.of_change and replace(one, known_before=False).level in (Level.STOP, Level.LOOK)


def _of_finding(one: JudgedFinding) -> Entry:
    finding = one.finding
    return Entry(str(finding.outcome), finding.rule, finding.address, finding.path, finding.message)


def _stays(one: Unseen) -> bool:
    """Whether it is a state: what a plan runs is an event, each time."""
    return one.why is not Why.COMMAND


def _of_unseen(one: Unseen) -> Entry:
    return Entry(_UNSEEN, str(one.why), one.address, "", one.what)


def _of_check(one: "Finding") -> Entry:
    return Entry(_CHECKOV, one.check, one.address, "", one.name)


def with_baseline(reviews: Sequence[Review], baseline: Baseline) -> list[Review]:
    """The reviews with what the baseline has for the record."""
    alone = len(reviews) == 1
    return [_with_baseline(review, baseline.of(review.name, alone=alone), baseline) for review in reviews]


def _with_baseline(review: Review, entries: frozenset[Entry], baseline: Baseline) -> Review:
    similar = {one.without_numbers() for one in entries}

    def knows(entry: Entry, *, touched: bool) -> bool:
        """What the plan changes must be the very same; of the rest, figures move with the reviewer's own data."""
        return entry in entries or (not touched and entry.without_numbers() in similar)

    actions = {change.address: change.action for change in review.changes}
    findings = [
        replace(one, known_before=True) if _is_judged(one) and knows(_of_finding(one), touched=one.touched) else one
        for one in review.findings
    ]
    unseen = [
        replace(one, known_before=True, level=Level.NOTE)
        if _stays(one) and actions.get(one.address) not in _EVENTS and knows(_of_unseen(one), touched=True)
        else one
        for one in review.unseen
    ]
    builtin = review.builtin
    if builtin is not None:
        known = [replace(one, reason=KNOWN) for one in builtin.failed if knows(_of_check(one), touched=True)]
        failed = [one for one in builtin.failed if not knows(_of_check(one), touched=True)]
        builtin = replace(builtin, failed=failed, explained=[*builtin.explained, *known])
    remarks = (*review.remarks, *_gone(review, entries, baseline))
    return replace(review, findings=tuple(findings), unseen=tuple(unseen), builtin=builtin, remarks=remarks)


def _gone(review: Review, entries: Iterable[Entry], baseline: Baseline) -> Iterator[str]:
    """What the reader may mend in the baseline. What no review sees is not told of a resource that stays as it is."""
    kept = {(one.finding.rule, one.finding.address) for one in review.findings}
    if review.builtin is not None:
        kept |= {(one.check, one.address) for one in (*review.builtin.failed, *review.builtin.explained)}
    skipped = {_UNSEEN} if review.builtin is not None else {_UNSEEN, _CHECKOV}
    gone = sum(one.kind not in skipped and (one.id, one.address) not in kept for one in entries)
    if gone:
        are = "entries of the baseline are" if gone > 1 else "entry of the baseline is"
        yield f"{gone} {are} gone: write it anew"
    if baseline.entries and not entries:
        plans = ", ".join(sorted({one.plan for one in baseline.entries if one.plan})) or "a plan by itself"
        yield f"the baseline has nothing of {review.name}, only of {plans}"
