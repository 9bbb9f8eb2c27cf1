"""The instances of one variant: which of them takes a request, and how many of them there are."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sustainable_mlops.sandbox.hosting.instance import Instance, StartError

#: How many instances of one variant start at once on this machine.
_AT_ONCE = 4


class _Member:
    """An instance in service, and the requests that it has under way."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.under_way = 0


class Pool:
    """Instances are taken in once they are healthy, and end after the requests that they have under way."""

    def __init__(self, make: Callable[[int], Instance], *, at_random: bool = True) -> None:
        self._make = make
        self._at_random = at_random
        self._made = 0
        self._members: list[_Member] = []
        self._changed = threading.Condition()
        self._scaling = threading.Lock()
        self._closed = False

    @property
    def count(self) -> int:
        """How many are in service."""
        return len(self._members)

    @property
    def instances(self) -> list[Instance]:
        """Those in service."""
        return [member.instance for member in list(self._members)]

    @contextmanager
    def taken(self, limit: int | None = None) -> Iterator[Instance | None]:
        """An instance that is to take one request more; None where none has fewer than `limit` under way."""
        member = self._take(limit)
        try:
            yield None if member is None else member.instance
        finally:
            if member is not None:
                with self._changed:
                    member.under_way -= 1
                    self._changed.notify_all()

    def _take(self, limit: int | None) -> _Member | None:
        with self._changed:
            free = [one for one in self._members if limit is None or one.under_way < limit]
            if not free:
                return None
            if not self._at_random:
                least = min(one.under_way for one in free)
                free = [one for one in free if one.under_way == least]
            member = random.choice(free)  # noqa: S311 only a request's way
            member.under_way += 1
            return member

    def scale(self, count: int) -> None:
        """Have so many in service. Raises StartError, with as many as before."""
        with self._scaling:
            if not self._closed and count > self.count:
                self._start(count - self.count)
            while self.count > count:
                self._end()

    def _start(self, more: int) -> None:
        new = [self._make(self._made + number) for number in range(1, more + 1)]
        self._made += more
        with ThreadPoolExecutor(_AT_ONCE) as starting:
            failed = [error for error in starting.map(_failure, new) if error is not None]
        if failed:
            for instance in new:
                instance.close()
            raise failed[0]
        with self._changed:
            self._members += [_Member(instance) for instance in new]
            self._changed.notify_all()

    def _end(self) -> None:
        """Take the instance out that has least to do, and end it once that is done."""
        with self._changed:
            leaving = min(self._members, key=lambda one: one.under_way)
            self._members.remove(leaving)
            self._changed.wait_for(lambda: leaving.under_way == 0)
        leaving.instance.close()

    def close(self) -> None:
        """Take no request any more, and end all once those under way are answered."""
        with self._scaling:
            self._closed = True
        self.scale(0)


def _failure(instance: Instance) -> StartError | None:
    try:
        instance.start()
    except StartError as error:
        return error
    return None
