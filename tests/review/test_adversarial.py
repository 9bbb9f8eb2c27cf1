"""Changes that need a look, their reverse changes, and everyday changes."""

import re
from pathlib import Path

import pytest

from tests.review.adversarial.__main__ import describe
from tests.review.adversarial.cases import CAUSES, EVERYDAY, FOLDER, list_cases, read_cases
from tests.review.adversarial.plans_without_provider import MANUAL_CHANGES
from tests.review.adversarial.results import Fault, Result, review_cases

#: Changes that must be fine but are not, with the reason; at most 3 % of all such changes.
ACCEPTED_FALSE_ALARMS = {
    "everyday-port_for_a_group": "the plan does not show who is in the other group",
    "removed_safeguards-canary_stops (reverse)": "the price of a canary depends on its runs",
    "everyday-crawler_schedule": "the review cannot tell how often a crawler runs by its cron expression",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    return review_cases(tmp_path_factory.mktemp("adversarial"))


@pytest.mark.plan
@pytest.mark.parametrize("fault", [Fault.WRONG_FINE, Fault.TOO_MILD, Fault.OTHER_REASON], ids=lambda fault: fault.name)
def test_a_change_that_needs_a_look_is_never_fine_and_names_its_reason(results: list[Result], fault: Fault) -> None:
    assert [describe(result) for result in results if result.fault is fault] == []


@pytest.mark.plan
def test_reverse_and_everyday_changes_are_fine(results: list[Result]) -> None:
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
