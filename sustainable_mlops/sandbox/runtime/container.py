"""What every container shares: the /opt/ml folder, moved to a folder of this machine, and a clean environment."""

import os
from collections.abc import Mapping
from pathlib import Path

#: Where SageMaker mounts a container's folder.
ML_ROOT = "/opt/ml"

#: Variables of this machine that a Python process needs to start and to find its libraries. Nothing else leaks in.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME")


def translate(value: str, folder: Path) -> str:
    """A value that is a path under /opt/ml becomes that path under `folder`; any other stays."""
    if value == ML_ROOT or value.startswith(f"{ML_ROOT}/"):
        return str(folder) + value[len(ML_ROOT) :]
    return value


def environment(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of a container's process: the image's settings, then those of the request, translated."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    image = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    return inherited | image | {name: translate(value, folder) for name, value in given.items()}


def cpu_count() -> int:
    """CPUs that a process may use here."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
