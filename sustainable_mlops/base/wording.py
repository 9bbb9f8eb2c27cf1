"""Nouns with their numbers."""

from typing import Any


def pluralize(noun: str, number: Any) -> str:
    """Return the form of a noun that follows a number: `rule` or `rules`."""
    return noun if number == 1 else f"{noun}s"


def format_number_of(number: float, noun: str) -> str:
    """Return `1 rule` or `2 rules`."""
    return f"{number:.12g} {pluralize(noun, number)}"
