"""What a failing inventory is told to run makes it hold again."""

from tests.modules.examples import differences, renewed

WANTED = {
    "values": {"a.b": {"name": "old", "rule": [{"days": 7}], "tags": ["x"]}, "a.gone": {"name": "gone"}},
    "outputs": {"name": "old"},
}
FOUND = {
    "counts": {"a": 1},
    "values": {"a.b": {"name": "new", "rule": [{"days": 9, "on": True}], "tags": ["x", "y"], "more": 1}},
    "outputs": {"name": "new", "other": "x"},
}


def test_what_an_inventory_speaks_of_is_written_as_it_is_and_no_more() -> None:
    assert differences(WANTED, FOUND) != []
    assert renewed(WANTED, FOUND) == {
        "values": {"a.b": {"name": "new", "rule": [{"days": 9}], "tags": ["x", "y"]}},
        "outputs": {"name": "new"},
    }
