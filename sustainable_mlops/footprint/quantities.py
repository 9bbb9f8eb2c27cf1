"""Quantities with an interval of uncertainty."""

from math import isfinite

from sustainable_mlops.catalogue.tables import Grade


class Quantity:
    """A number between `low` and `high`, most likely near `central`.

    `text` and `unit` describe the quantity for a reader. `grade` is A (measured, stated by the
    manufacturer or given by the user), B (derived) or C (assumed).
    """

    __slots__ = ("_hash", "central", "grade", "high", "key", "low", "text", "unit")

    def __init__(
        self, low: float, central: float, high: float, grade: Grade = "A", text: str = "", key: str = "", unit: str = ""
    ) -> None:
        """Raise ValueError if the three numbers are not finite and in ascending order.

        Quantities with the same `key` are one unknown and vary together. The text is the key if this is empty.
        """
        if not (isfinite(low) and isfinite(high) and low <= central <= high):
            raise ValueError(f"{text or 'quantity'}: {low}, {central}, {high} must be finite and ascending")
        self.low, self.central, self.high = low, central, high
        self.grade, self.text, self.key, self.unit = grade, text, key, unit
        self._hash = hash(self._list_values())  # the caches of estimates use it often

    def _list_values(self) -> tuple[object, ...]:
        return self.low, self.central, self.high, self.grade, self.text, self.key, self.unit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self._list_values() == other._list_values()

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Quantity{self._list_values()}"

    def __mul__(self, factor: float) -> "Quantity":
        return self.replace_bounds(self.low * factor, self.central * factor, self.high * factor)

    @property
    def is_exact(self) -> bool:
        """True if the interval is empty."""
        return self.low == self.high

    def replace_text(self, text: str, unit: str | None = None) -> "Quantity":
        """Return the same unknown with another text, and another unit if it was multiplied by a number with a unit."""
        key, unit = self.key or self.text, self.unit if unit is None else unit
        return Quantity(self.low, self.central, self.high, self.grade, text, key, unit)

    def separate_for_item(self, item: str) -> "Quantity":
        """Return the quantity for one item only; the quantity of another item is an independent unknown."""
        key = f"{self.key or self.text}: {item}"
        return Quantity(self.low, self.central, self.high, self.grade, self.text, key, self.unit)

    def clamp(self, low: float, high: float) -> "Quantity":
        """Return the quantity limited to the interval from `low` to `high`."""

        def limit(value: float) -> float:
            return min(max(value, low), high)

        return self.replace_bounds(limit(self.low), limit(self.central), limit(self.high))

    def replace_bounds(self, low: float, central: float, high: float) -> "Quantity":
        """Return the same unknown with another value and other bounds."""
        return Quantity(low, central, high, self.grade, self.text, self.key, self.unit)


def make_exact(value: float, text: str = "", grade: Grade = "A") -> Quantity:
    """Return a known number. It needs no unit, because only uncertain quantities are listed."""
    return Quantity(value, value, value, grade, text)


def make_bounded(
    low: float, central: float, high: float, text: str = "", grade: Grade = "C", unit: str = ""
) -> Quantity:
    """Return a number that is known only within an interval."""
    return Quantity(low, central, high, grade, text, unit=unit)
