"""Time zones of schedules: `time_zones.csv`."""

from functools import cache

from sustainable_mlops.catalogue.tables import read_rows


@cache
def load_all() -> tuple[str, ...]:
    """Return every time zone by name, such as Europe/Stockholm, and UTC."""
    return tuple(row["zone"] for row in read_rows("time_zones"))
