"""Random faults, each reproducible by its seed."""

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sagemaker_sandbox import Sandbox
from sustainable_mlops.base.errors import UserError


class Operation(StrEnum):
    """An operation of a user that a fault interrupts."""

    APPLY = "apply"
    LAUNCH = "launch"
    PIPELINE = "pipeline"
    PROMOTION = "promotion"


class FaultKind(StrEnum):
    """A fault of one request, or the end of the program at a request."""

    BEFORE_EFFECT = "before effect"
    AFTER_EFFECT = "after effect, response lost"
    THROTTLING = "throttling"
    EXPIRED = "expired credentials"
    KILLED = "killed"


#: Error codes by kind of fault. Each service has one of them.
_CODES: Mapping[FaultKind, Sequence[str]] = {
    FaultKind.BEFORE_EFFECT: ("ServiceUnavailable", "InternalFailure", "InternalError"),
    FaultKind.THROTTLING: ("ThrottlingException", "Throttling", "SlowDown"),
    FaultKind.EXPIRED: ("ExpiredTokenException", "ExpiredToken"),
}
#: Starts of operations that change nothing, and share of the faults in other operations.
_READS, _SHARE_OF_CHANGES = ("Describe", "Get", "Head", "List"), 0.8
#: Number of requests that stands for all further ones, and seconds that a request waits for the kill.
_ALWAYS, _HOLD_SECONDS = 100_000, 120.0


@dataclass(frozen=True)
class Case:
    """An operation, a kind of fault and the source of all other choices, all from one seed."""

    seed: int
    operation: Operation
    kind: FaultKind
    source: random.Random = field(compare=False, repr=False)

    @classmethod
    def draw(cls, seed: int) -> "Case":
        """Return the case of a seed."""
        source = random.Random(seed)  # noqa: S311 no secret
        return cls(seed, source.choice(list(Operation)), source.choice(list(FaultKind)), source)


@dataclass
class Result:
    """The result of one case."""

    seed: int
    operation: str
    kind: str
    #: Part of the operation with the fault.
    step: str = ""
    #: Request with the fault, such as `iam:CreateRole`, and the number of earlier requests that succeed.
    request: str = ""
    skip: int = 0
    #: True if the operation sent the request with the fault.
    is_reached: bool = False
    #: Exit code of the operation.
    code: int | None = None
    #: Commands that completed the operation.
    commands: list[str] = field(default_factory=list)
    converged: bool = False
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the result for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Calls:
    """The requests of an operation without faults, in order, such as `iam:CreateRole`."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, recorded: Sequence[Mapping[str, Any]]) -> "Calls":
        """Return the calls that the sandbox recorded."""
        return cls(tuple(f"{call['service']}:{call['operation']}" for call in recorded if call["operation"]))


def inject(case: Case, sandbox: Sandbox, calls: Calls, result: Result) -> None:
    """Inject the fault of a case into one random request of an operation, most often one that changes something.

    The request is one of the sorted distinct names, because the order of Terraform's requests differs between runs.
    """
    source = case.source
    names = sorted(set(calls.names))
    changes = [name for name in names if not name.partition(":")[2].startswith(_READS)]
    name = source.choice(changes if changes and source.random() < _SHARE_OF_CHANGES else names)
    skip = source.randrange(calls.names.count(name))
    result.request, result.skip = name, skip
    if case.kind is FaultKind.EXPIRED:
        positions = [number for number, one in enumerate(calls.names) if one == name]
        earlier = calls.names[: positions[skip]]
        for one in sorted(set(calls.names)):
            _inject_error(sandbox, one, FaultKind.EXPIRED, times=_ALWAYS, skip=earlier.count(one))
    elif case.kind is FaultKind.AFTER_EFFECT:
        sandbox.fault(name, after_effect=True, times=source.randint(1, 3), skip=skip)
    elif case.kind is FaultKind.KILLED and source.random() < 0.5:
        sandbox.fault(name, after_effect=True, delay=_HOLD_SECONDS, skip=skip)
    elif case.kind is FaultKind.KILLED:
        _inject_error(sandbox, name, FaultKind.BEFORE_EFFECT, delay=_HOLD_SECONDS, skip=skip)
    else:
        _inject_error(sandbox, name, case.kind, times=source.randint(1, 6), skip=skip)


def is_reached(case: Case, sandbox: Sandbox) -> bool:
    """Return whether the operation reached the fault of a case."""
    faults = sandbox.faults()
    if case.kind is FaultKind.EXPIRED:
        return any(fault.times < _ALWAYS for fault in faults)
    if case.kind is FaultKind.KILLED:
        return not faults
    return not faults or faults[0].skip == 0


def _inject_error(sandbox: Sandbox, name: str, kind: FaultKind, **options: Any) -> None:
    """Inject the error of a kind that the operation can return."""
    for code in _CODES[kind]:
        with suppress(UserError):
            sandbox.fault(name, error=code, **options)
            return
    raise AssertionError(f"{name} has no error for {kind}")
