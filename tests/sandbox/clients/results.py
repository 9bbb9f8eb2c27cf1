"""Report of one call of a scenario in Python. `tests.sandbox.clients` reads the lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_scenario = ""


@contextmanager
def scenario(name: str) -> Iterator[None]:
    """Set the scenario of the calls, and report an exception between them."""
    global _scenario
    _scenario = name
    try:
        yield
    except Exception as error:
        _write_result("the rest of the scenario", "misbehaves", error)


def attempt(name: str, call: Callable[[], Any]) -> Any:
    """Report one call and return its result; None if it failed."""
    try:
        result = call()
    except Exception as error:
        _write_result(name, "refused" if "UnsupportedOperationException" in str(error) else "misbehaves", error)
        return None
    _write_result(name, "works")
    return result


def reject(name: str, words: str, call: Callable[[], Any]) -> None:
    """Report a call whose error contains these words, such as a code of AWS."""
    try:
        call()
    except Exception as error:
        _write_result(
            f"{name} -> {words}", "works" if words in f"{type(error).__name__} {error}" else "misbehaves", error
        )
    else:
        _write_result(f"{name} -> {words}", "misbehaves", "no error")


def check(name: str, is_right: object, value: object = "") -> None:
    """Report a value that the calls before must have had as an effect."""
    _write_result(name, "works" if is_right else "misbehaves", value)


def _write_result(name: str, result: str, detail: object = "") -> None:
    text = "" if result == "works" else " ".join(f"{type(detail).__name__}: {detail}".split())[:600]
    print(f"{result}\t{_scenario}: {name}\t{text}", flush=True)
