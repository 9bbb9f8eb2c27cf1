"""Changes that need a look, their reverse changes, and everyday changes."""

import re
from pathlib import Path

import pytest

from tests.review.adversarial.__main__ import describe
from tests.review.adversarial.cases import CAUSES, EVERYDAY, FOLDER, list_cases, read_cases
from tests.review.adversarial.plans_without_provider import MANUAL_CHANGES
from tests.review.adversarial.results import Fault, review_cases

#: Changes that must be fine but are not, with the reason; at most 3 % of all such changes.
ACCEPTED_FALSE_ALARMS = {
    "everyday-port_for_a_group": "the plan does not show who is in the other group",
    "removed_safeguards-canary_stops (reverse)": "the price of a canary depends on its runs",
    "everyday-crawler_schedule": "the review cannot tell how often a crawler runs by its cron expression",
}


@pytest.mark.plan
def test_risky_changes_need_a_look_for_their_reason_and_reverse_and_everyday_changes_are_fine(tmp_path: Path) -> None:
    """One test, because several test processes would each plan all cases."""
    results = review_cases(tmp_path)
    missed = [describe(result) for result in results if result.fault not in (None, Fault.FALSE_ALARM)]
    assert missed == []
    false_alarms = {str(result): describe(result) for result in results if result.fault is Fault.FALSE_ALARM}
    assert [text for name, text in false_alarms.items() if name not in ACCEPTED_FALSE_ALARMS] == []
    assert sorted(ACCEPTED_FALSE_ALARMS) == sorted(false_alarms)
    assert len(false_alarms) <= 0.03 * sum(result.must_be_fine for result in results)


def test_the_cases_cover_each_cause_and_a_hundred_types() -> None:
    cases = list_cases()
    changes = [case for case in cases if case.cause != EVERYDAY]
    assert {case.cause for case in changes} == set(CAUSES)
    assert len(changes) >= 150
    assert len(cases) - len(changes) >= 60
    assert len({type_ for case in cases for type_ in re.findall(r'resource "(aws_\w+)"', case.diff)}) >= 100
    assert all(case.words != ("",) for case in changes)


def test_at_most_a_tenth_of_the_changes_has_no_fine_reverse() -> None:
    reasons = [case.reverse for case in list_cases() if case.cause != EVERYDAY]
    reasons += [change.reverse for change in MANUAL_CHANGES.values() if change.cause != EVERYDAY]
    assert sum(map(bool, reasons)) <= len(reasons) / 10


def test_a_section_of_another_form_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    file = FOLDER / "cost.md"
    monkeypatch.setattr(Path, "read_text", lambda _: "# Cost\n\n## a case\nlook: words\n")
    with pytest.raises(ValueError, match=r"cost\.md: 1 sections, of which 0 can be read"):
        read_cases(file)
