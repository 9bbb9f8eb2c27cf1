"""The hosts of a training job as one, by XGBoost's own collective.

A training job on several instances starts the script once on each of them. They meet at the first of SM_HOSTS, which
runs XGBoost's tracker; from then on each boosts the same trees on its share of the flights.
"""

import json
import os
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from xgboost import collective
from xgboost.tracker import RabitTracker

if TYPE_CHECKING or __package__:
    from .features import InputError
else:  # in a container, the files lie side by side
    from features import InputError

T = TypeVar("T")
#: Seconds in which all hosts have to appear: they download their shares, and read them, before they meet.
PATIENCE = 900


@contextmanager
def joined() -> Iterator[None]:
    """With the other hosts of SM_HOSTS, of which this is SM_CURRENT_HOST; alone where there are no others."""
    everybody = sorted(json.loads(os.environ.get("SM_HOSTS") or "[]"))
    if len(everybody) < 2:
        yield
        return
    number = everybody.index(os.environ["SM_CURRENT_HOST"])
    tracker = None
    if number == 0:
        # `task` ranks the hosts by the names below, so that the first is the same one in every life of the job.
        address = socket.gethostbyname(everybody[0])
        tracker = RabitTracker(n_workers=len(everybody), host_ip=address, sortby="task", timeout=PATIENCE)
        tracker.start()
        settings = tracker.worker_args()
        _tell(settings, address, len(everybody) - 1)
    else:
        settings = _asked(everybody[0])
    with collective.CommunicatorContext(**settings, dmlc_task_id=f"{number:04}"):
        yield
    if tracker is not None:
        tracker.wait_for(PATIENCE)


def several() -> int:
    """How many hosts there are."""
    return int(collective.get_world_size())


def first() -> bool:
    """Whether this host is the one that speaks, and writes, for all."""
    return bool(collective.get_rank() == 0)


def gathered(own: T) -> list[T]:
    """What each host has, in their order."""
    rank = collective.get_rank()
    return [collective.broadcast(own if rank == root else None, root) for root in range(several())]


def agreed(find: Callable[[], T]) -> T:
    """What the first host finds. What it finds wrong (InputError) is raised on all, so that none waits for another."""
    answer: tuple[T | None, str | None] = (None, None)
    if first():
        try:
            answer = (find(), None)
        except InputError as error:
            answer = (None, str(error))
    found, wrong = collective.broadcast(answer, 0)
    if wrong is not None:
        raise InputError(wrong)
    return found  # type: ignore[no-any-return]


def any_of(own: bool) -> bool:
    """Whether it is so on one of the hosts."""
    return bool(collective.allreduce(np.array([own], np.int32), collective.Op.MAX)[0])


def _port() -> int:
    """Where the hosts of this job meet: the same on all, another than that of jobs which share a machine with it."""
    return 20000 + zlib.crc32(os.environ.get("TRAINING_JOB_NAME", "").encode()) % 10000


def _tell(settings: dict[str, Any], address: str, others: int) -> None:
    """Gives each of the others, as they come, the tracker's settings.

    The tracker's own port is a free one: XGBoost cannot take one again that a life of this job had a minute ago.
    """
    with socket.create_server((address, _port())) as server:
        server.settimeout(PATIENCE)
        for _ in range(others):
            with server.accept()[0] as connection:
                connection.sendall(json.dumps(settings).encode())


def _asked(host: str) -> dict[str, Any]:
    """The tracker's settings, from the first host as soon as it is there. Raises OSError where it never is."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection((host, _port()), timeout=PATIENCE) as connection:
                told = connection.makefile("rb").read()
            if told:
                settings: dict[str, Any] = json.loads(told)
                return settings
        except OSError:  # its name is not known yet, or nobody listens
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
