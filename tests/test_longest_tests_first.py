"""The distribution of tests over processes."""

from tests.longest_tests_first import distribute


def test_every_process_begins_with_its_share_of_long_tests() -> None:
    long, short = [["a1"], ["b1", "b2"], ["c1"], ["d1"]], [str(number) for number in range(12)]
    items = distribute(long, short, 3)
    assert sorted(items) == sorted([item for group in long for item in group] + short)
    parts = items[:5], items[5:11], items[11:]
    assert [part[:2] for part in parts] == [["a1", "d1"], ["b1", "b2"], ["c1", "7"]]
