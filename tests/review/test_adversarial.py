"""Changes that need a look, their reverse changes, and everyday changes."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.review.adversarial.__main__ import describe
from tests.review.adversarial.cases import CAUSES, EVERYDAY, FOLDER, list_cases, read_cases
from tests.review.adversarial.plans_without_provider import MANUAL_CHANGES
from tests.review.adversarial.results import Fault, review_cases

_TYPE = re.compile(r'resource "(aws_\w+)"')
#: Changes that must be fine but are not, with the reason; at most 3 % of all such changes.
ACCEPTED_FALSE_ALARMS = {
    "everyday-port_for_a_group": "the plan does not show who is in the other group",
    "removed_safeguards-canary_stops (reverse)": "the price of a canary depends on its runs",
    "everyday-crawler_schedule": "the review cannot tell how often a crawler runs by its cron expression",
}
#: The shares of the second set.
MAX_WRONG_FINE, MAX_OTHER_REASON, MAX_FALSE_ALARMS = 0.16, 0.11, 0.3


@pytest.mark.plan
def test_risky_changes_need_a_look_for_their_reason_and_reverse_and_everyday_changes_are_fine(tmp_path: Path) -> None:
    """One test, because several test processes would each plan all cases."""
    all_results = review_cases(tmp_path)
    results = [result for result in all_results if not result.case.is_second]
    missed = [describe(result) for result in results if result.fault not in (None, Fault.FALSE_ALARM)]
    assert missed == []
    false_alarms = {str(result): describe(result) for result in results if result.fault is Fault.FALSE_ALARM}
    assert [text for name, text in false_alarms.items() if name not in ACCEPTED_FALSE_ALARMS] == []
    assert sorted(ACCEPTED_FALSE_ALARMS) == sorted(false_alarms)
    assert len(false_alarms) <= 0.03 * sum(result.must_be_fine for result in results)
    second = [result for result in all_results if result.case.is_second]
    faults = Counter(result.fault for result in second)
    risky, harmless = (sum(result.must_be_fine is is_fine for result in second) for is_fine in (False, True))
    assert risky >= 250 <= harmless
    assert faults[Fault.WRONG_FINE] + faults[Fault.TOO_MILD] <= MAX_WRONG_FINE * risky
    assert faults[Fault.OTHER_REASON] <= MAX_OTHER_REASON * risky
    assert faults[Fault.FALSE_ALARM] <= MAX_FALSE_ALARMS * harmless


def test_the_cases_cover_each_cause_and_a_hundred_types() -> None:
    cases = [case for case in list_cases() if not case.is_second]
    changes = [case for case in cases if case.cause != EVERYDAY]
    assert {case.cause for case in changes} == set(CAUSES)
    assert len(changes) >= 150
    assert len(cases) - len(changes) >= 60
    assert len({type_ for case in cases for type_ in _TYPE.findall(case.diff)}) >= 100
    assert all(case.words != ("",) for case in changes)


def test_the_second_set_covers_more_than_three_hundred_types_most_of_which_the_first_does_not_have() -> None:
    first, second = (
        {type_ for case in list_cases() if case.is_second is part for type_ in _TYPE.findall(case.diff)}
        for part in (False, True)
    )
    assert len(second) >= 300
    assert len(second - first) >= 250
    assert sum(not type_.startswith(("aws_s3_", "aws_iam_", "aws_sagemaker_")) for type_ in second) >= 250


def test_at_most_a_tenth_of_the_changes_has_no_fine_reverse() -> None:
    reasons = [case.reverse for case in list_cases() if case.cause != EVERYDAY]
    reasons += [change.reverse for change in MANUAL_CHANGES.values() if change.cause != EVERYDAY]
    assert sum(map(bool, reasons)) <= len(reasons) / 10


def test_a_section_of_another_form_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    file = FOLDER / "cost.md"
    monkeypatch.setattr(Path, "read_text", lambda _: "# Cost\n\n## a case\nlook: words\n")
    with pytest.raises(ValueError, match=r"cost\.md: 1 sections, of which 0 can be read"):
        read_cases(file)
