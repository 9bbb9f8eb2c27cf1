"""Quantities with an interval of uncertainty."""

from dataclasses import dataclass, replace
from math import isfinite

from sustainable_mlops.catalogue.tables import Grade


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number between `low` and `high`, most likely near `central`.

    `text` describes the quantity for a reader. `grade` is A (measured or given), B (derived) or C (assumed).
    """

    low: float
    central: float
    high: float
    grade: Grade = "A"
    text: str = ""
    #: Quantities with the same key are one unknown and vary together. The text is the key if this is empty.
    key: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError if the three numbers are not finite and in ascending order."""
        if not (isfinite(self.low) and isfinite(self.high) and self.low <= self.central <= self.high):
            raise ValueError(
                f"{self.text or 'quantity'}: {self.low}, {self.central}, {self.high} must be finite and ascending"
            )

    def __mul__(self, factor: float) -> "Quantity":
        return self._with(self.low * factor, self.central * factor, self.high * factor)

    @property
    def is_exact(self) -> bool:
        """True if the interval is empty."""
        return self.low == self.high

    def with_text(self, text: str) -> "Quantity":
        """Return the same unknown with another text."""
        return replace(self, text=text, key=self.key or self.text)

    def for_item(self, item: str) -> "Quantity":
        """Return the quantity for one item only; the quantity of another item is an independent unknown."""
        return replace(self, key=f"{self.key or self.text}: {item}")

    def clamp(self, low: float, high: float) -> "Quantity":
        """Return the quantity limited to the interval from `low` to `high`."""

        def limit(value: float) -> float:
            return min(max(value, low), high)

        return self._with(limit(self.low), limit(self.central), limit(self.high))

    def _with(self, low: float, central: float, high: float) -> "Quantity":
        return Quantity(low, central, high, self.grade, self.text, self.key)


def exact_quantity(value: float, text: str = "", grade: Grade = "A") -> Quantity:
    """Return a known number."""
    return Quantity(value, value, value, grade, text)


def bounded_quantity(low: float, central: float, high: float, text: str = "", grade: Grade = "C") -> Quantity:
    """Return a number that is known only within an interval."""
    return Quantity(low, central, high, grade, text)
