"""The principal for which SageMaker handles an operation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sagemaker_sandbox.iam.evaluation import Principal

_FIND_CALLER: ContextVar[Callable[[], Principal | None]] = ContextVar("find_caller", default=lambda: None)


@contextmanager
def act_for(find: Callable[[], Principal | None]) -> Iterator[None]:
    """Handle the operations of the block for a principal. `find` is called if an operation needs the principal."""
    token = _FIND_CALLER.set(find)
    try:
        yield
    finally:
        _FIND_CALLER.reset(token)


def find_caller(account: str) -> Principal:
    """Return the principal of this account for which SageMaker acts. Without a known one, it is the root."""
    principal = _FIND_CALLER.get()()
    return principal if principal is not None and principal.account == account else Principal.build_root(account)
