"""A container's own: the folder that is its /opt/ml, how its processes see that folder, and a clean environment."""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagemaker_sandbox.scratch import CONTAINER_VARIABLE
from sustainable_mlops.errors import UserError

#: Where SageMaker mounts a container's folder.
ML_ROOT = "/opt/ml"

#: /opt/ml itself or a path under it, anywhere in a text: alone, after `=` or `:`, inside a shell's command line.
_MENTION = re.compile(rf"(?<![\w./-]){ML_ROOT}(?![\w.-])")

#: Variables of this machine that a Python process needs to start and to find its libraries. Nothing else leaks in.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME")

_LAUNCH = Path(__file__).with_name("launch.py")


class Container:
    """One container on one instance. `folder` is its /opt/ml.

    Its processes see the folder at /opt/ml where it is `mounted`, in a mount namespace of their own; elsewhere by its
    path on this machine, to which `translate` turns the paths in a request. `hosts` gives the address of each instance
    of the job by its name; where /opt/ml is mounted the names resolve, elsewhere the addresses stand for them.
    """

    def __init__(
        self, folder: Path, *, mounted: bool, host: str = "algo-1", hosts: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.mounted = mounted
        self.name = host
        self._addresses = dict(hosts or {host: "127.0.0.1"})
        self.config = folder / "input" / "config"
        self.data = folder / "input" / "data"
        self.code = folder / "code"
        self.model = folder / "model"
        self.output = folder / "output"
        self.output_data = self.output / "data"
        self.failure = self.output / "failure"

    def reset(self) -> None:
        """A fresh disk: nothing of an earlier instance is left."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        for path in (self.config, self.data, self.code, self.model, self.output_data):
            path.mkdir(parents=True)

    @property
    def hosts(self) -> list[str]:
        """What the job's instances call each other."""
        by_name = self.mounted or len(self._addresses) == 1
        return list(self._addresses if by_name else self._addresses.values())

    @property
    def number(self) -> int:
        """Which of the job's instances this is, from 0."""
        return list(self._addresses).index(self.name)

    @property
    def host(self) -> str:
        """What the others call this one."""
        return self.hosts[self.number]

    def to_container_path(self, path: Path) -> str:
        """What the container's processes call a path under `folder`."""
        return self.translate(f"{ML_ROOT}/{path.relative_to(self.folder).as_posix()}".removesuffix("/."))

    def translate(self, text: str) -> str:
        """A text of a request as the container's processes must be given it: with paths that lead to `folder`."""
        return text if self.mounted else _MENTION.sub(lambda _: str(self.folder), text)

    def to_local_path(self, path: str, field: str) -> Path:
        """Where a path under /opt/ml is on this machine; raises UserError, naming the field, for any other path."""
        parts = Path(path).parts
        if parts[:3] != ("/", "opt", "ml") or ".." in parts:
            raise UserError(f"{field}: {path!r} is not under {ML_ROOT}")
        return self.folder.joinpath(*parts[3:])

    def explain_errors(self, errors: str) -> str:
        """The end of stderr, and why a path under /opt/ml in it was not found where /opt/ml is not mounted."""
        if self.mounted or ML_ROOT not in errors:
            return errors
        return f"{errors} ({ML_ROOT} is not mounted here: paths in the request are translated, others are not)"

    def build_environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process: the image's, then what is `given`, translated. This Python comes first."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
        image = {
            "PATH": path,
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
            CONTAINER_VARIABLE: str(self.folder),
        }
        return inherited | image | {name: self.translate(value) for name, value in given.items()}

    def build_command(self, command: Sequence[str], workdir: Path, *, parent: int | None = None) -> list[str]:
        """How to start `command` in the container; it dies with the process `parent`, where that is given."""
        settings: dict[str, object] = {"workdir": self.to_container_path(workdir), "parent": parent}
        if self.mounted:
            settings |= {"opt_ml": str(self.folder), "hosts": self._addresses}
        return build_launch_command(command, settings)


def build_launch_command(command: Sequence[str], settings: Mapping[str, object]) -> list[str]:
    """How to start `command` by way of `launch.py`, which says what the settings are."""
    return [sys.executable, "-I", "-S", str(_LAUNCH), json.dumps(settings), *command]


def assign_host_addresses(count: int) -> dict[str, str]:
    """Names and addresses of a job's instances: algo-1 at 127.0.0.1, algo-2 at 127.0.0.2, and so on.

    All of 127.0.0.0/8 is this machine on Linux; elsewhere one instance is all there is, and UserError says so.
    """
    if count > 1 and sys.platform != "linux":
        raise UserError(f"InstanceCount: {count} instances find each other on Linux only; use one")
    if count > 250:
        raise UserError(f"InstanceCount: {count} instances are more than the sandbox has addresses for")
    return {f"algo-{number}": f"127.0.0.{number}" for number in range(1, count + 1)}


def count_cpus() -> int:
    """CPUs that a process may use here."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
