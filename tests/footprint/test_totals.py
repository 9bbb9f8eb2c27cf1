from tests.footprint.totals import FILE, lines


def test_totals_change_only_where_somebody_looked_at_the_difference() -> None:
    expected = FILE.read_text(encoding="utf-8").splitlines()
    assert list(lines()) == expected, "read the difference that `python -m tests.footprint.totals` makes"
