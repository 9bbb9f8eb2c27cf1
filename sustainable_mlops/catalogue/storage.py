"""Storage classes: their medium, copies and price."""

from typing import Literal, NamedTuple

from sustainable_mlops.catalogue.tables import Grade, load_table, parse_grade, parse_interval, parse_number, read_rows

Medium = Literal["ssd", "hdd", "memory"]


class StorageClass(NamedTuple):
    """A storage class of S3, a store of a feature group, or a volume."""

    name: str
    medium: Medium
    #: Number of copies: (low, central, high).
    copies: tuple[float, float, float]
    copies_grade: Grade
    #: None if the price is unknown.
    usd_per_gb_month: float | None
    price_grade: Grade


_MEDIA: dict[str, Medium] = {"ssd": "ssd", "hdd": "hdd", "memory": "memory"}


@load_table
def load_all() -> dict[str, StorageClass]:
    """Return every storage class by name, as in the S3 API."""
    return {
        row["storage_class"]: StorageClass(
            name=row["storage_class"],
            medium=_MEDIA[row["medium"]],
            copies=parse_interval(row, "copies_low", "copies", "copies_high"),
            copies_grade=parse_grade(row["copies_class"]),
            usd_per_gb_month=parse_number(row["usd_per_gb_month"]),
            price_grade=parse_grade(row["price_class"] or "C"),
        )
        for row in read_rows("storage_classes")
    }
