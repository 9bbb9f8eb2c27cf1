"""A rule names what it is of, as the list of practices has it."""

from sustainable_mlops.operations import practices
from sustainable_mlops.rules import BY_ID, guideline


def test_the_rules_know_what_each_practice_is_of() -> None:
    for practice in practices.everything().values():
        assert practice.lens == tuple(name for name, rows in guideline.LENS.items() if practice.row in rows)
        assert practice.guidance == tuple(step for step, rows in guideline.STEPS.items() if practice.row in rows)


def test_a_guideline_names_practice_best_practice_and_step() -> None:
    assert BY_ID["SUS_INF1"].guideline == "Practice 60 (ML Lens MLSUS05-BP02, guidance step 12)"
    assert guideline.of(["73", "76"]) == "Practices 73, 76 (ML Lens MLSUS06-BP02, guidance steps 2, 14)"
    assert guideline.of(["76"]) == "Practice 76"
