"""The instances of one variant: which of them takes a request, and how many of them there are."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sagemaker_sandbox.hosting.instance import HostingInstance, StartError

#: How many instances of one variant start at once on this machine.
_AT_ONCE = 4


class PoolMember:
    """An instance in service, and the requests that it has under way."""

    def __init__(self, instance: HostingInstance) -> None:
        self.instance = instance
        self.active_requests = 0
        self._most = 0

    def add_request(self) -> None:
        """One request more."""
        self.active_requests += 1
        self._most = max(self._most, self.active_requests)

    def take_peak(self) -> int:
        """The most requests that were under way at once since this was asked before."""
        most, self._most = self._most, self.active_requests
        return most


class InstancePool:
    """Instances are taken in once they are healthy, and end after the requests that they have under way.

    `make` makes one by its number, `begin` starts it and raises StartError, `end` ends it and may be called twice;
    `freed` is called once there may be room for a request.
    """

    def __init__(
        self,
        make: Callable[[int], HostingInstance],
        begin: Callable[[HostingInstance], None],
        end: Callable[[HostingInstance], None],
        freed: Callable[[], None],
        *,
        at_random: bool,
    ) -> None:
        self._make = make
        self._begin = begin
        self._end = end
        self._freed = freed
        self._at_random = at_random
        self._made = 0
        self._members: list[PoolMember] = []
        self._starting: list[HostingInstance] = []
        self._changed = threading.Condition()
        self._scaling = threading.Lock()
        self._closed = False

    @property
    def count(self) -> int:
        """How many are in service."""
        return len(self._members)

    @property
    def members(self) -> list[PoolMember]:
        """Those in service."""
        return list(self._members)

    def reserve(self, limit: int | None = None) -> PoolMember | None:
        """Have an instance take one request more; None where none has fewer than `limit` under way."""
        with self._changed:
            free = [one for one in self._members if limit is None or one.active_requests < limit]
            if not free:
                return None
            if not self._at_random:
                least = min(one.active_requests for one in free)
                free = [one for one in free if one.active_requests == least]
            member = random.choice(free)  # noqa: S311 only a request's way
            member.add_request()
            return member

    def reserve_at(self, member: PoolMember) -> bool:
        """Have this instance take one request more; False where it is not in service any more."""
        with self._changed:
            if member not in self._members:
                return False
            member.add_request()
            return True

    def release(self, member: PoolMember) -> None:
        """Its request is over."""
        with self._changed:
            member.active_requests -= 1
            self._changed.notify_all()
        self._freed()

    def scale(self, count: int) -> None:
        """Have so many in service; back once it is so. Raises StartError, with as many as before."""
        with self._scaling:
            if count > self.count:
                self._start(count - self.count)
            while self.count > count:
                self._let_go()

    def _start(self, more: int) -> None:
        with self._changed:
            if self._closed:
                raise StartError("The endpoint is being deleted.")
            new = [self._make(self._made + number) for number in range(1, more + 1)]
            self._made += more
            self._starting = new
        try:
            with ThreadPoolExecutor(_AT_ONCE) as starting:
                list(starting.map(self._begin, new))
            with self._changed:
                if self._closed:
                    raise StartError("The endpoint is being deleted.")
                self._members += [PoolMember(instance) for instance in new]
                self._starting = []
        except BaseException:
            for instance in new:
                self._end(instance)
            raise
        self._freed()

    def _let_go(self) -> None:
        """Take the instance out that has least to do, and end it once that is done."""
        with self._changed:
            if not self._members:  # closed meanwhile
                return
            leaving = min(self._members, key=lambda one: one.active_requests)
            self._members.remove(leaving)
            self._changed.wait_for(lambda: leaving.active_requests == 0 or self._closed)
        self._end(leaving.instance)

    def close(self) -> None:
        """Take no request any more; end all, requests under way included."""
        with self._changed:
            self._closed = True
            ending = [member.instance for member in self._members] + self._starting
            self._members = []
            self._changed.notify_all()
        for instance in ending:
            self._end(instance)
