"""Registry of the named checks."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

#: Moment of a stage after which a check runs.
Moment = Literal["applied", "used", "changed", "rolled back"]


@dataclass(frozen=True)
class Answer:
    """Answer of a check: yes or no, and the observation."""

    yes: bool
    text: str


@dataclass(frozen=True)
class Check:
    """A named check: the function that decides it, and the moment when it runs."""

    name: str
    module: str
    moment: Moment
    decide: Callable[[Any], Answer]
    #: Reason why it runs only with `--with NAME`; empty for the others.
    extra_cost: str = ""
    #: True if a refused apply of the stage answers the question.
    answers_for_apply: bool = False
    #: Pattern of the errors that are the answer "no"; any other error leaves the question undecided.
    refusal: str = ""
    #: Another module that must be applied.
    needs: str = ""

    @property
    def question(self) -> str:
        """The yes-or-no question of the check."""
        return (inspect.getdoc(self.decide) or "").partition("\n")[0]

    @property
    def documentation(self) -> str:
        """The documentation that it verifies."""
        return " ".join((inspect.getdoc(self.decide) or "").partition("Documentation: ")[2].split())

    def is_refusal(self, text: str) -> bool:
        """Return whether the text of an error is the refusal that the check expects."""
        return bool(self.refusal) and re.search(self.refusal, text, re.IGNORECASE) is not None


CHECKS: dict[str, Check] = {}


def register_check(
    name: str,
    module: str,
    moment: Moment = "used",
    *,
    extra_cost: str = "",
    answers_for_apply: bool = False,
    refusal: str = "",
    needs: str = "",
) -> Callable[[Callable[[Any], Answer]], Callable[[Any], Answer]]:
    """Return a decorator that registers a function as a named check.

    The function's docstring begins with the question and ends with the documentation.
    """

    def register(decide: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
        CHECKS[name] = Check(name, module, moment, decide, extra_cost, answers_for_apply, refusal, needs)
        return decide

    return register
