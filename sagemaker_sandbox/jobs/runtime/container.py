"""Containers: the folder that stands for /opt/ml, its path for the processes, and a clean environment."""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagemaker_sandbox.base.scratch import CONTAINER_VARIABLE
from sagemaker_sandbox.jobs.runtime.missing_package import explain_missing_package
from sagemaker_sandbox.jobs.runtime.visible_paths import list_visible_paths
from sustainable_mlops.base.errors import UserError

#: Mount point of the folder of a container.
ML_ROOT = "/opt/ml"

#: /opt/ml or a path under it, anywhere in a text: alone, after `=` or `:`, or in a shell command.
_OPT_ML_PATH = re.compile(rf"(?<![\w./-]){ML_ROOT}(?![\w.-])")

#: Variables of this computer that a Python process needs to start and to find its libraries. No others are passed on.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME")

_LAUNCH = Path(__file__).with_name("launch.py")


class Container:
    """One container on one instance. `folder` stands for its /opt/ml.

    If `mounted`, processes have a root of their own, with the folder at /opt/ml and without the files of this computer
    (`visible_paths`). Otherwise they see the path of the folder on this computer, and `translate` converts the paths of
    a request.

    `hosts` maps the name of each instance of the job to its address. If mounted, the names resolve; otherwise the
    addresses replace them.
    """

    def __init__(
        self, folder: Path, *, mounted: bool, host: str = "algo-1", hosts: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.is_mounted = mounted
        self.name = host
        self._addresses = dict(hosts or {host: "127.0.0.1"})
        self.config = folder / "input" / "config"
        self.data = folder / "input" / "data"
        self.code = folder / "code"
        self.model = folder / "model"
        self.output = folder / "output"
        self.output_data = self.output / "data"
        self.failure = self.output / "failure"
        #: Root of the processes, if mounted.
        self._root = folder.with_name(f"{folder.name}.root")

    def reset(self) -> None:
        """Clear the disk, so that nothing of an earlier instance remains."""
        for folder in (self.folder, self._root):
            shutil.rmtree(folder, ignore_errors=not folder.exists())
        for path in (self.config, self.data, self.code, self.model, self.output_data):
            path.mkdir(parents=True)

    @property
    def hosts(self) -> list[str]:
        """Host names that the instances of the job use for each other."""
        by_name = self.is_mounted or len(self._addresses) == 1
        return list(self._addresses if by_name else self._addresses.values())

    @property
    def number(self) -> int:
        """Index of this instance in the job, from 0."""
        return list(self._addresses).index(self.name)

    @property
    def host(self) -> str:
        """Host name of this instance."""
        return self.hosts[self.number]

    @property
    def start_folder(self) -> Path:
        """Folder in which the command of an image starts: `/` of the container, if mounted."""
        return self._root if self.is_mounted else self.folder

    def to_container_path(self, path: Path) -> str:
        """Return the path that the processes of the container use for a path under `folder`, or for `/`."""
        if path == self._root:
            return "/"
        return self.translate(f"{ML_ROOT}/{path.relative_to(self.folder).as_posix()}".removesuffix("/."))

    def translate(self, text: str) -> str:
        """Return a text of a request with paths that processes of the container can use."""
        return text if self.is_mounted else _OPT_ML_PATH.sub(lambda _: str(self.folder), text)

    def to_local_path(self, path: str, field: str) -> Path:
        """Return the path on this computer of a path under /opt/ml.

        Raises UserError, which names the field, for any other path.
        """
        parts = Path(path).parts
        if parts[:3] != ("/", "opt", "ml") or ".." in parts:
            raise UserError(f"{field}: {path!r} is not under {ML_ROOT}")
        return self.folder.joinpath(*parts[3:])

    def explain_errors(self, errors: str) -> str:
        """Return the end of stderr with the reason, if a package is missing or paths under /opt/ml cannot resolve."""
        errors = explain_missing_package(errors)
        if self.is_mounted or ML_ROOT not in errors:
            return errors
        return f"{errors} ({ML_ROOT} is not mounted here: paths in the request are translated, others are not)"

    def build_environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process: the image's environment, then `variables`, translated.

        The Python of this process is the first one on the PATH. No package index is within reach: pip accepts the
        packages of this Python, also with `--upgrade`, and refuses others immediately.
        """
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        if self.is_mounted:
            inherited.pop("TMPDIR", None)
        path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
        image = {
            "PATH": path,
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
            "PIP_NO_INDEX": "1",
            CONTAINER_VARIABLE: str(self.folder),
        }
        return inherited | image | {name: self.translate(value) for name, value in variables.items()}

    def build_command(self, command: Sequence[str], workdir: Path, *, parent: int | None = None) -> list[str]:
        """Return the command line that starts `command` in the container.

        The process ends with the process `parent`, if one is given.
        """
        settings: dict[str, object] = {"workdir": self.to_container_path(workdir), "parent": parent}
        if self.is_mounted:
            settings |= {"root": str(self._root), "visible": list_visible_paths(), "opt_ml": str(self.folder)}
            settings["hosts"] = self._addresses
        return [sys.executable, "-I", "-S", str(_LAUNCH), json.dumps(settings), *command]


def assign_host_addresses(count: int) -> dict[str, str]:
    """Return names and addresses of the instances of a job: algo-1 at 127.0.0.1, algo-2 at 127.0.0.2, ...

    On Linux all of 127.0.0.0/8 is this computer. Elsewhere more than one instance raises UserError.
    """
    if count > 1 and sys.platform != "linux":
        raise UserError(f"InstanceCount: {count} instances find each other on Linux only; use one")
    if count > 250:
        raise UserError(f"InstanceCount: {count} instances are more than the sandbox has addresses for")
    return {f"algo-{number}": f"127.0.0.{number}" for number in range(1, count + 1)}


def count_cpus() -> int:
    """Return the number of CPUs that this process can use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
