"""The hosts of a training job, joined by XGBoost's own collective.

A training job starts the script once on each instance. The hosts meet at the first of SM_HOSTS, which runs XGBoost's
tracker. Then all hosts boost the same trees, each on its shard of the flights.
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
else:  # a container has all files in one folder
    from features import InputError

T = TypeVar("T")
#: Seconds in which all hosts must connect. Each host downloads and reads its shard first.
TIMEOUT_SECONDS = 900


@contextmanager
def join_hosts() -> Iterator[None]:
    """Join the other hosts of SM_HOSTS for the duration of the context; do nothing on a single host."""
    hosts = sorted(json.loads(os.environ.get("SM_HOSTS") or "[]"))
    if len(hosts) < 2:
        yield
        return
    number = hosts.index(os.environ["SM_CURRENT_HOST"])
    tracker = None
    if number == 0:
        # `task` ranks the hosts by the names below: the first host is the same after every restart of the job.
        address = socket.gethostbyname(hosts[0])
        tracker = RabitTracker(n_workers=len(hosts), host_ip=address, sortby="task", timeout=TIMEOUT_SECONDS)
        tracker.start()
        settings = tracker.worker_args()
        _send_settings(settings, address, len(hosts) - 1)
    else:
        settings = _receive_settings(hosts[0])
    with collective.CommunicatorContext(**settings, dmlc_task_id=f"{number:04}"):
        yield
    if tracker is not None:
        tracker.wait_for(TIMEOUT_SECONDS)


def count_hosts() -> int:
    """Return the number of hosts."""
    return int(collective.get_world_size())


def is_first_host() -> bool:
    """Return True on the host that prints and writes for all."""
    return bool(collective.get_rank() == 0)


def gather_values(own: T) -> list[T]:
    """Return the value of each host, in the order of the hosts."""
    rank = collective.get_rank()
    return [collective.broadcast(own if rank == root else None, root) for root in range(count_hosts())]


def run_on_first_host(find: Callable[[], T]) -> T:
    """Run `find` on the first host and return its result on every host.

    An InputError of the first host is raised on every host, so that none waits for another.
    """
    outcome: tuple[T | None, str | None] = (None, None)
    if is_first_host():
        try:
            outcome = (find(), None)
        except InputError as error:
            outcome = (None, str(error))
    result, message = collective.broadcast(outcome, 0)
    if message is not None:
        raise InputError(message)
    return result  # type: ignore[no-any-return]


def is_any_true(own: bool) -> bool:
    """Return whether `own` is true on at least one host."""
    return bool(collective.allreduce(np.array([own], np.int32), collective.Op.MAX)[0])


def _choose_port() -> int:
    """Return the port where the hosts of this job meet. Jobs that share an instance get different ports."""
    return 20000 + zlib.crc32(os.environ.get("TRAINING_JOB_NAME", "").encode()) % 10000


def _send_settings(settings: dict[str, Any], address: str, others: int) -> None:
    """Send the tracker's settings to each of the other hosts when it connects.

    The tracker listens on a free port: XGBoost cannot reuse the port of an attempt that ended a minute ago.
    """
    with socket.create_server((address, _choose_port())) as server:
        server.settimeout(TIMEOUT_SECONDS)
        for _ in range(others):
            with server.accept()[0] as connection:
                connection.sendall(json.dumps(settings).encode())


def _receive_settings(host: str) -> dict[str, Any]:
    """Read the tracker's settings from the first host as soon as it listens. Raises OSError after the timeout."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            with socket.create_connection((host, _choose_port()), timeout=TIMEOUT_SECONDS) as connection:
                content = connection.makefile("rb").read()
            if content:
                settings: dict[str, Any] = json.loads(content)
                return settings
        except OSError:  # the name does not resolve yet, or the host does not listen yet
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
