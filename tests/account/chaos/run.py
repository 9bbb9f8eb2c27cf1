"""Runs of random cases, one sandbox for each operation."""

import contextlib
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sagemaker_sandbox import Sandbox
from tests.account.chaos.case import Case, Operation, Result
from tests.account.chaos.environment import Environment
from tests.account.chaos.launches import Launches
from tests.provider import alone

Runner = Callable[[Case, Result], None]


class Chaos:
    """Sandboxes of the operations, each started with the first case of its operation."""

    def __init__(self) -> None:
        self._stacks: dict[Operation, contextlib.ExitStack] = {}
        self._runners: dict[Operation, Runner] = {}

    def __enter__(self) -> "Chaos":
        return self

    def __exit__(self, *_: object) -> None:
        for operation in list(self._stacks):
            self._close(operation)

    def run(self, case: Case) -> Result:
        """Run one case, and return its result. After a problem, the operation starts from nothing."""
        result = Result(case.seed, str(case.operation), str(case.kind))
        try:
            self._find_runner(case.operation)(case, result)
        except Exception as error:
            result.problem = f"{type(error).__name__}: {error}".strip()
            result.converged = False
            traceback.print_exc()
            self._close(case.operation)
        return result

    def _find_runner(self, operation: Operation) -> Runner:
        if operation not in self._runners:
            stack = self._stacks[operation] = contextlib.ExitStack()
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"chaos-{operation}-")))
            self._runners[operation] = _start(operation, folder, stack)
        return self._runners[operation]

    def _close(self, operation: Operation) -> None:
        self._runners.pop(operation, None)
        if (stack := self._stacks.pop(operation, None)) is not None:
            with contextlib.suppress(Exception):
                stack.close()


def _start(operation: Operation, folder: Path, stack: contextlib.ExitStack) -> Runner:
    """Start the sandbox of an operation, and return the function that runs a case."""
    if operation in (Operation.LAUNCH, Operation.PIPELINE):
        sandbox = stack.enter_context(Sandbox.start(log=folder / "log"))
        launches = Launches(sandbox, operation)
        launches.prepare()
        return launches.run
    sandbox, variables = stack.enter_context(alone(folder / "log"))
    checkout = folder / "checkout"
    checkout.mkdir()
    environment = Environment(checkout, sandbox, variables)
    environment.prepare()
    return environment.run_apply if operation is Operation.APPLY else environment.run_promotion


def run_cases(seeds: Iterable[int]) -> Iterator[Result]:
    """Yield the result of the case of each seed."""
    with Chaos() as chaos:
        for seed in seeds:
            yield chaos.run(Case.draw(seed))
