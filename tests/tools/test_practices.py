"""The list of practices is true: what it names exists, and every rule is of a practice in it."""

import re
from pathlib import Path

from sustainable_mlops import rules
from sustainable_mlops.practices import Practice, load_practices
from tests.cases import check_cases
from tests.stale_files import suggest_update
from tools import practices

ROOT = Path(__file__).resolve().parents[2]
ALL = list(load_practices().values())


def test_every_practice_has_its_row_once() -> None:
    assert [practice.row for practice in ALL] == list(range(1, 79))


@check_cases("practice", ALL, ids=lambda practice: str(practice.row))
def test_the_parts_that_keep_a_practice_exist(practice: Practice) -> None:
    for implemented_by in practice.implemented_by:
        path, _, variable = implemented_by.partition("#")
        assert (ROOT / path).exists(), implemented_by
        if variable:
            variables = (ROOT / path / "variables.tf").read_text()
            assert f'variable "{variable}"' in variables, implemented_by


@check_cases("practice", ALL, ids=lambda practice: str(practice.row))
def test_a_practice_that_is_not_kept_says_why(practice: Practice) -> None:
    assert practice.implemented_by or practice.not_yet or practice.cannot
    assert not (practice.cannot and (practice.implemented_by or practice.not_yet))
    assert practice.title
    assert all(re.fullmatch(r"MLSUS0[1-6]-BP0[1-4]", lens) for lens in practice.lens)
    assert all(1 <= step <= 14 for step in practice.guidance)


def test_modules_that_practices_miss_do_not_exist() -> None:
    subjects = re.findall(r"no module for ([\w ]+)", "\n".join(practice.not_yet for practice in ALL))
    missing = {name.lower().replace(" ", "_") for subject in subjects for name in subject.split(" or ")}
    assert missing
    assert not [name for name in missing if (ROOT / "modules" / name).exists()]


def test_every_practice_of_the_lens_and_every_step_of_the_guidance_has_a_row() -> None:
    best_practices = {1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 2}  # how many each question of the sustainability pillar has
    assert {lens for practice in ALL for lens in practice.lens} == {
        f"MLSUS0{question}-BP0{number}" for question, most in best_practices.items() for number in range(1, most + 1)
    }
    assert {step for practice in ALL for step in practice.guidance} == set(range(1, 15))


@check_cases("rule", rules.ALL, ids=lambda rule: rule.id)
def test_every_rule_is_of_practices_in_the_list(rule: rules.Rule) -> None:
    assert rule.practices
    assert all(rule.id in load_practices()[row].checked_by for row in rule.practices)


def test_the_page_is_as_the_list_and_the_rules_say() -> None:
    page = (ROOT / "docs" / "practices.md").read_text(encoding="utf-8")
    assert page == practices.render_page(), suggest_update(".venv/bin/python -m tools.practices")
