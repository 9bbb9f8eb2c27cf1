"""Settings of one run: account, Region, modules, checks and caps."""

import json
import os
import re
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue import regions

#: Folder of all runs.
RUNS = ROOT / "out" / "prove"
#: Tag on every resource that Terraform creates; its value is the name of the run.
TAG = "smlops-prove"
#: The modules, and `environment`: a temporary environment of all its components.
MODULES = (
    "storage",
    "access",
    "feature_store",
    "model_registry",
    "pipeline",
    "serverless_endpoint",
    "async_endpoint",
    "realtime_endpoint",
    "observability",
    "network",
    "images",
    "studio",
    "footprint",
    "bootstrap",
    "environment",
)
#: Modules that every other one needs.
BASE = MODULES[:2]
_PREFIX = "prove-"
_FILE, _LOG_GROUPS, _END, _PROGRESS = "run.json", "log_groups.json", "end.txt", "progress.json"
#: Folder with one file for the result of each module.
_RESULTS = "results"


def create_name() -> str:
    """Return the name of a new run, such as `prove-4f7k2a`."""
    alphabet = string.ascii_lowercase + string.digits
    return _PREFIX + "".join(secrets.choice(alphabet) for _ in range(6))


@dataclass(frozen=True)
class ProofSettings:
    """Input of one run. Written to the run's folder, so that `--clean` knows the account and the Region."""

    account: str
    region: str
    modules: tuple[str, ...] = MODULES
    #: Named checks that run only with `--with`.
    extra_checks: tuple[str, ...] = ()
    cap_usd: float = 5.0
    cap_minutes: float = 180.0
    #: Number of modules that are proved at the same time; with 13, none waits for another one that it does not need.
    parallel: int = 13
    #: Duration of the request of `async-scale-in-during-request`; longer than AWS takes to scale in.
    long_request_seconds: int = 1500
    name: str = field(default_factory=create_name)
    begin: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def folder(self) -> Path:
        """Folder of the run: root modules, their state and the report."""
        return RUNS / self.name

    def save(self) -> None:
        """Write the settings into the run's folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def save_log_groups(self, names: Iterable[str], begin: datetime) -> None:
        """Write the names of the log groups of jobs before this part of the run; cleanup keeps these."""
        document = {"begin": begin.isoformat(), "names": sorted(names)}
        write_file(self.folder / _LOG_GROUPS, json.dumps(document) + "\n")

    def load_log_groups(self) -> tuple[datetime, set[str]] | None:
        """Return the begin of this part of the run, and the log groups of jobs before it; None if it listed none."""
        file = self.folder / _LOG_GROUPS
        if not file.is_file():
            return None
        document = json.loads(file.read_text(encoding="utf-8"))
        return datetime.fromisoformat(document["begin"]), set(document["names"])

    def save_result(self, key: str, result: Mapping[str, Any]) -> None:
        """Write the result of a module or a check, atomically: a run may be killed at any time."""
        write_file(self.folder / _RESULTS / f"{key}.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")

    def load_results(self) -> dict[str, dict[str, Any]]:
        """Return the saved results by module or check."""
        files = sorted((self.folder / _RESULTS).glob("*.json"))
        return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}

    def save_progress(self, usd: float, seconds: float) -> None:
        """Write the cost and the duration of the run so far, without the time between its parts.

        The last change of the run's files is the end of a run that was killed.
        """
        write_file(self.folder / _PROGRESS, json.dumps({"usd": round(usd, 4), "seconds": round(seconds, 1)}) + "\n")

    def load_progress(self) -> tuple[float, float]:
        """Return the cost in USD and the duration in seconds of earlier parts of the run; 0 for a new one."""
        file = self.folder / _PROGRESS
        if not file.is_file():
            return 0.0, 0.0
        document = json.loads(file.read_text(encoding="utf-8"))
        return document["usd"], document["seconds"]

    def reopen(self) -> None:
        """Remove the end of the run and its list of log groups, because it continues."""
        for name in (_END, _LOG_GROUPS):
            (self.folder / name).unlink(missing_ok=True)

    def save_end(self, moment: datetime | None = None) -> None:
        """Write the end of the run once; without a moment, the last modification of the run's files."""
        file = self.folder / _END
        if not file.is_file():
            moment = moment or self._find_last_modification()
            file.write_text(moment.isoformat() + "\n", encoding="utf-8")

    def _find_last_modification(self) -> datetime:
        names = [Path(folder, name) for folder, _, files in os.walk(self.folder) for name in files]
        times = [file.lstat().st_mtime for file in names]
        return datetime.fromtimestamp(max(times), UTC) if times else datetime.fromisoformat(self.begin)

    def load_end(self) -> datetime:
        """Return the end of the run."""
        return datetime.fromisoformat((self.folder / _END).read_text(encoding="utf-8").strip())


def check_settings(settings: ProofSettings) -> None:
    """Raise UserError for an account, Region or module that does not exist."""
    if not re.fullmatch(r"[0-9]{12}", settings.account):
        raise UserError(f"{f'--account {settings.account}'.strip()}: must be 12 digits, such as 123456789012")
    if regions.find(settings.region) is None:
        raise UserError(f"{f'--region {settings.region}'.strip()}: AWS has no such Region; pass one such as eu-north-1")
    if regions.find_partition(settings.region) != "aws":  # the run writes no ARNs of other partitions
        raise UserError(f"--region {settings.region}: is in another AWS partition; choose a Region such as eu-north-1")
    if unknown := [name for name in settings.modules if name not in MODULES]:
        raise UserError(f"--module {unknown[0]}: no such module; choose from {', '.join(MODULES)}")


def load_settings(name: str, option: str = "clean") -> ProofSettings:
    """Read the settings of a run that this option names. Raises UserError for a run that is not in `out/prove`."""
    full = name if name.startswith(_PREFIX) else _PREFIX + name
    file = RUNS / full / _FILE
    if not re.fullmatch(rf"{_PREFIX}[a-z0-9]{{6}}", full) or not file.is_file():
        known = sorted(path.parent.name for path in RUNS.glob(f"*/{_FILE}"))
        remedy = f"choose from {', '.join(known)}" if known else "run the command in the folder of that run"
        raise UserError(f"--{option} {name}: no such run in out/prove; {remedy}")
    fields = json.loads(file.read_text(encoding="utf-8"))
    return ProofSettings(**{**fields, **{key: tuple(fields[key]) for key in ("modules", "extra_checks")}})
