"""Temporary root module of a check."""

from types import TracebackType
from typing import Self

from clone.prove import hcl
from clone.prove.context import ProofRun


class TemporaryRoot:
    """A root module that is destroyed at the end of its block. After an interruption, the cleanup destroys it."""

    def __init__(self, run: ProofRun, name: str) -> None:
        self._run = run
        self.terraform = run.make_terraform(f"check-{name}")
        self._is_initialized = False

    def write(self, *parts: str) -> None:
        """Write the root module, and initialize it the first time."""
        hcl.write_root(self.terraform.folder, self._run.settings, *parts)
        if not self._is_initialized:
            self.terraform.init()
            self._is_initialized = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, Exception):
            self.terraform.apply("-destroy")
