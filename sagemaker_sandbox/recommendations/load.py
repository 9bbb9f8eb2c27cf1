"""Users of an endpoint, each of whom sends one request after the other, and what is seen of it meanwhile."""

import itertools
import math
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from sagemaker_sandbox.hosting.traffic import Traffic
from sagemaker_sandbox.hosting.usage import used
from sagemaker_sandbox.recommendations.pattern import Step
from sagemaker_sandbox.runtime.asking import ModelError, ThrottledError, Took

#: Seconds between two looks at whether it is to end, and until a user asks again who was throttled.
_LOOK_EVERY, _AGAIN_AFTER = 0.05, 0.1


@dataclass(frozen=True)
class Window:
    """What was seen during one step, in seconds and bytes; `model` is the model latency of each answer.

    `cpu` is in percent, of which each CPU of this machine counts 100, and both it and `resident` are an instance's;
    `largest` is the memory of its largest process.
    """

    users: int
    seconds: float
    model: Sequence[float]
    throttled: int = 0
    cpu: float = 0.0
    resident: float = 0.0
    largest: float = 0.0

    @property
    def per_minute(self) -> float:
        """How many answers there were in a minute of this machine."""
        return 60 * len(self.model) / self.seconds

    def latency(self, percentile: float) -> float:
        """The model latency that so many percent of the answers did not exceed."""
        return sorted(self.model)[math.ceil(percentile / 100 * len(self.model)) - 1]


class Load:
    """`ask` sends a payload and returns how long the answer took; `stop` ends it at any time."""

    def __init__(
        self, ask: Callable[[bytes], Took], payloads: Sequence[bytes], traffic: Traffic, stop: threading.Event
    ) -> None:
        self._ask = ask
        self._payloads = payloads
        self._traffic = traffic
        self._stop = stop
        self._users: dict[int, threading.Thread] = {}
        self._wanted = 0
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._taken: list[Took] = []
        self._throttled = 0
        self._error: Exception | None = None

    def windows(self, steps: Sequence[Step]) -> Generator[Window, None, None]:
        """What is seen step by step, until it is stopped. Raises what the first request raises that fails."""
        answered = 0
        try:
            for number, step in enumerate(steps, start=1):
                self._be(step.users)
                # A model may need longer for its first answer than the whole pattern takes here.
                window = self._see(step, for_an_answer=number == len(steps) and not answered)
                answered += len(window.model)
                if self._error is not None:
                    raise self._error
                if self._stop.is_set():
                    return
                yield window
        finally:
            self._end()

    def _be(self, users: int) -> None:
        """Have so many users; those who go get their answer first."""
        with self._lock:
            self._wanted = users
            for number in range(users):
                if number not in self._users:
                    user = threading.Thread(target=self._use, args=(number,), name=f"user {number}", daemon=True)
                    self._users[number] = user
                    user.start()

    def _goes(self, number: int) -> bool:
        with self._lock:
            if number < self._wanted and not self._ended.is_set():
                return False
            self._users.pop(number, None)
            return True

    def _use(self, number: int) -> None:
        for payload in itertools.islice(itertools.cycle(self._payloads), number % len(self._payloads), None):
            if self._goes(number):
                return
            try:
                took = self._ask(payload)
            except Exception as error:  # whatever it is, it is the benchmark's
                if not _is_too_much(error):
                    self._error = self._error or error
                    return
                with self._lock:
                    self._throttled += 1
                self._ended.wait(_AGAIN_AFTER)
            else:
                with self._lock:
                    self._taken.append(took)

    def _see(self, step: Step, *, for_an_answer: bool) -> Window:
        begin, (cpu, _) = time.monotonic(), self._used()
        while not self._stop.is_set() and self._error is None:
            left = begin + step.seconds - time.monotonic()
            if left <= 0 and not (for_an_answer and not self._taken and not self._throttled):
                break
            self._stop.wait(_LOOK_EVERY if left <= 0 else min(left, _LOOK_EVERY))
        seconds, (cpu_now, resident) = time.monotonic() - begin, self._used()
        with self._lock:
            taken, self._taken = self._taken, []
            throttled, self._throttled = self._throttled, 0
        return Window(
            users=step.users,
            seconds=seconds,
            model=[took.model for took in taken],
            throttled=throttled,
            cpu=100 * max(cpu_now - cpu, 0.0) / seconds,
            resident=sum(resident),
            largest=max(resident, default=0.0),
        )

    def _used(self) -> tuple[float, list[float]]:
        """CPU seconds so far of an instance, and the memory of each process; of several, their mean and the first's."""
        variants = [variant for fleet in self._traffic.fleets for variant in fleet.variants.values()]
        found = [used(member.instance.pids) for variant in variants for member in variant.pool.members]
        if not found:
            return 0.0, []
        return sum(cpu for cpu, _ in found) / len(found), found[0][1]

    def _end(self) -> None:
        """The next benchmark has the machine for itself; who stops waits for nobody."""
        self._ended.set()
        for user in list(self._users.values()):
            while user.is_alive() and not self._stop.is_set():
                user.join(_LOOK_EVERY)


def _is_too_much(error: Exception) -> bool:
    """Whether it says no more than that there are too many requests, as a model server does with 503."""
    return isinstance(error, ThrottledError) or (isinstance(error, ModelError) and error.original_status == 503)
