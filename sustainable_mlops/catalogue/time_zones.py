"""Time zones of schedules: `time_zones.csv`."""

from functools import cache

from sustainable_mlops.catalogue.tables import read_rows


@cache
def load_all() -> tuple[str, ...]:
    """Return every name of a time zone: the canonical names, and others such as Etc/UTC and Asia/Calcutta."""
    return tuple(row["zone"] for row in read_rows("time_zones"))


@cache
def load_canonical() -> tuple[str, ...]:
    """Return the canonical name of every time zone, such as Europe/Stockholm, and UTC."""
    return tuple(row["zone"] for row in read_rows("time_zones") if row["canonical"] == "yes")
