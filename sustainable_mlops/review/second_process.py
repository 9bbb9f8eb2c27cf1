"""Work in a second process, so that the review of a large plan uses two cores."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


def start_work(work: Callable[[], _T]) -> Callable[[], _T]:
    """Start `work` in a copy of this process, and return a function that waits for its result.

    The result must be picklable. Changes that `work` makes to objects stay in the copy. If the copy fails, `work` runs
    in this process, which raises the error. This process must have one thread only, because a fork copies only one.
    """
    from multiprocessing import get_context

    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def send() -> None:
        with suppress(BaseException):  # the first process reports errors and interruptions
            receiver.close()
            sender.send(work())

    process = context.Process(target=send, daemon=True)
    process.start()
    sender.close()

    def wait() -> _T:
        try:
            result: _T = receiver.recv()
        except (EOFError, OSError):
            result = work()
        process.join()
        return result

    return wait
