"""The printed command updates a failing inventory."""

from tests.modules.examples import find_differences, update_recorded

WANTED = {
    "values": {"a.b": {"name": "old", "rule": [{"days": 7}], "tags": ["x"]}, "a.gone": {"name": "gone"}},
    "outputs": {"name": "old"},
}
FOUND = {
    "counts": {"a": 1},
    "values": {"a.b": {"name": "new", "rule": [{"days": 9, "on": True}], "tags": ["x", "y"], "more": 1}},
    "outputs": {"name": "new", "other": "x"},
}


def test_updated_inventories_keep_their_scope() -> None:
    assert find_differences(WANTED, FOUND) != []
    assert update_recorded(WANTED, FOUND) == {
        "values": {"a.b": {"name": "new", "rule": [{"days": 9}], "tags": ["x", "y"]}},
        "outputs": {"name": "new"},
    }
