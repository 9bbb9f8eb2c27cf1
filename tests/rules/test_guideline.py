"""Guidelines of rules, as in the list of practices."""

from sustainable_mlops import practices
from sustainable_mlops.rules import BY_ID, guideline


def test_the_rules_have_the_sources_of_each_practice() -> None:
    for practice in practices.load_practices().values():
        assert practice.lens == tuple(name for name, rows in guideline.LENS_ROWS.items() if practice.row in rows)
        assert practice.guidance == tuple(step for step, rows in guideline.STEP_ROWS.items() if practice.row in rows)


def test_a_guideline_names_practice_best_practice_and_step() -> None:
    assert BY_ID["SUS_INF1"].guideline == "Practice 60 (ML Lens MLSUS05-BP02, guidance step 12)"
    assert guideline.format_guideline(["73", "76"]) == "Practices 73, 76 (ML Lens MLSUS06-BP02, guidance steps 2, 14)"
    assert guideline.format_guideline(["76"]) == "Practice 76"
