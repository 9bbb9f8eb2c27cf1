"""Quantities that are not known exactly."""

from dataclasses import dataclass, replace
from math import isfinite

from sustainable_mlops.catalogue.tables import Grade


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number between `low` and `high`, most likely near `central`.

    `text` says what it is, for a person; `grade` is A (measured or given), B (derived) or C (assumed).
    """

    low: float
    central: float
    high: float
    grade: Grade = "A"
    text: str = ""
    #: Quantities of one key are one unknown, each at its own scale: they move together. Where it is empty, the text is.
    key: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError where the three are not in order, or not numbers."""
        if not (isfinite(self.low) and isfinite(self.high) and self.low <= self.central <= self.high):
            raise ValueError(f"{self.text or 'quantity'}: {self.low}, {self.central}, {self.high} is no range")

    def __mul__(self, factor: float) -> "Quantity":
        return self._with(self.low * factor, self.central * factor, self.high * factor)

    @property
    def exact(self) -> bool:
        """Whether there is no interval."""
        return self.low == self.high

    def named(self, text: str) -> "Quantity":
        """The same unknown with another text."""
        return replace(self, text=text, key=self.key or self.text)

    def of(self, thing: str) -> "Quantity":
        """The same of one thing alone: that of another is an unknown by itself."""
        return replace(self, key=f"{self.key or self.text}: {thing}")

    def at(self, low: float, high: float) -> "Quantity":
        """The same, held between `low` and `high`."""

        def held(value: float) -> float:
            return min(max(value, low), high)

        return self._with(held(self.low), held(self.central), held(self.high))

    def _with(self, low: float, central: float, high: float) -> "Quantity":
        return Quantity(low, central, high, self.grade, self.text, self.key)


def exactly(value: float, text: str = "", grade: Grade = "A") -> Quantity:
    """A known number."""
    return Quantity(value, value, value, grade, text)


def between(low: float, central: float, high: float, text: str = "", grade: Grade = "C") -> Quantity:
    """An assumed number."""
    return Quantity(low, central, high, grade, text)
