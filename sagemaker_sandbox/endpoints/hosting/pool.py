"""Instance pools: the instances of one variant, their number, and the choice of one for each request."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sagemaker_sandbox.endpoints.hosting.instance import HostingInstance, StartError

#: Number of instances of one variant that start concurrently on this computer.
_START_CONCURRENCY = 4


class PoolMember:
    """An instance in service with its number of active requests."""

    def __init__(self, instance: HostingInstance) -> None:
        self.instance = instance
        self.active_requests = 0
        self._peak = 0

    def add_request(self) -> None:
        """Count one more active request."""
        self.active_requests += 1
        self._peak = max(self._peak, self.active_requests)

    def take_peak(self) -> int:
        """Return the peak number of active requests since the previous call."""
        peak, self._peak = self._peak, self.active_requests
        return peak


class InstancePool:
    """Instances of one variant. They join once healthy and end after their active requests.

    `create` creates an instance by number, `start` starts it and raises StartError, and `end` ends it and can be called
    twice. `on_free_capacity` is called when an instance may accept another request.
    """

    def __init__(
        self,
        create: Callable[[int], HostingInstance],
        start: Callable[[HostingInstance], None],
        end: Callable[[HostingInstance], None],
        on_free_capacity: Callable[[], None],
        *,
        at_random: bool,
    ) -> None:
        self._create = create
        self._start_instance = start
        self._end = end
        self._on_free_capacity = on_free_capacity
        self._at_random = at_random
        self._created_count = 0
        self._members: list[PoolMember] = []
        self._starting: list[HostingInstance] = []
        self._changed = threading.Condition()
        self._scaling = threading.Lock()
        self._is_closed = False

    @property
    def count(self) -> int:
        """Number of instances in service."""
        return len(self._members)

    @property
    def members(self) -> list[PoolMember]:
        """Instances in service."""
        return list(self._members)

    def reserve(self, limit: int | None = None) -> PoolMember | None:
        """Reserve an instance for one request; None if all have `limit` active requests."""
        with self._changed:
            free = [candidate for candidate in self._members if limit is None or candidate.active_requests < limit]
            if not free:
                return None
            if not self._at_random:
                least = min(candidate.active_requests for candidate in free)
                free = [candidate for candidate in free if candidate.active_requests == least]
            member = random.choice(free)  # noqa: S311 load balancing
            member.add_request()
            return member

    def reserve_at(self, member: PoolMember) -> bool:
        """Reserve this instance for one request; False if it is no longer in service."""
        with self._changed:
            if member not in self._members:
                return False
            member.add_request()
            return True

    def release(self, member: PoolMember) -> None:
        """End a request at an instance."""
        with self._changed:
            member.active_requests -= 1
            self._changed.notify_all()
        self._on_free_capacity()

    def scale(self, count: int) -> None:
        """Scale to `count` instances and block until they are in service.

        Raises StartError; the number of instances is then unchanged.
        """
        with self._scaling:
            if count > self.count:
                self._add_instances(count - self.count)
            while self.count > count:
                self._remove_instance()

    def _add_instances(self, count: int) -> None:
        with self._changed:
            if self._is_closed:
                raise StartError("The endpoint is being deleted.")
            instances = [self._create(self._created_count + number) for number in range(1, count + 1)]
            self._created_count += count
            self._starting = instances
        try:
            with ThreadPoolExecutor(_START_CONCURRENCY) as executor:
                list(executor.map(self._start_instance, instances))
            with self._changed:
                if self._is_closed:
                    raise StartError("The endpoint is being deleted.")
                self._members += [PoolMember(instance) for instance in instances]
                self._starting = []
        except BaseException:
            for instance in instances:
                self._end(instance)
            raise
        self._on_free_capacity()

    def _remove_instance(self) -> None:
        """Remove the instance with the fewest active requests and end it after these."""
        with self._changed:
            if not self._members:  # the pool was closed concurrently
                return
            leaving = min(self._members, key=lambda candidate: candidate.active_requests)
            self._members.remove(leaving)
            self._changed.wait_for(lambda: leaving.active_requests == 0 or self._is_closed)
        self._end(leaving.instance)

    def close(self) -> None:
        """Accept no more requests and end all instances. Active requests fail."""
        with self._changed:
            self._is_closed = True
            ending = [member.instance for member in self._members] + self._starting
            self._members = []
            self._changed.notify_all()
        for instance in ending:
            self._end(instance)
