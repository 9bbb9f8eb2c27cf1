from tests.footprint.totals import FILE, lines
from tests.renewal import renew


def test_totals_change_only_where_somebody_looked_at_the_difference() -> None:
    expected = FILE.read_text(encoding="utf-8").splitlines()
    assert list(lines()) == expected, renew(".venv/bin/python -m tests.footprint.totals")
