"""Each broken input ends with code 2 and one line that names the location, the problem and the remedy."""

import pytest

from tests.cases import check_cases
from tests.commands.broken_inputs import BrokenInput, load_inputs


def test_each_of_at_least_40_inputs_has_a_location_a_problem_and_a_remedy() -> None:
    inputs = load_inputs()
    assert len(inputs) >= 40
    assert all(one.location and one.problem and one.remedy for one in inputs)


@pytest.mark.slow
@check_cases("broken_input", load_inputs())
def test_a_message_names_the_location_the_problem_and_the_remedy(
    broken_input: BrokenInput, tmp_path_factory: pytest.TempPathFactory
) -> None:
    code, message = broken_input.run(tmp_path_factory.mktemp("input"))
    lines = [line for line in message.splitlines() if not line.startswith("✗")]
    assert (code, len(lines)) == (2, 1), message
    assert message.startswith("error: ")
    for part in (broken_input.location, broken_input.problem, broken_input.remedy):
        assert part in message
