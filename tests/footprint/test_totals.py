from tests.footprint.totals import FILE, format_totals
from tests.renewal import renew


def test_totals_equal_the_reviewed_file() -> None:
    expected = FILE.read_text(encoding="utf-8").splitlines()
    assert list(format_totals()) == expected, renew(".venv/bin/python -m tests.footprint.totals")
