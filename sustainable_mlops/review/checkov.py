"""Runner of checkov, which has an environment of its own; it separates suppressed failures from others.

checkov exits with 0 if it parses nothing or checks nothing; both are errors here. Suppressions are comments in the
modules' HCL (`# checkov:skip=ID:reason`). A plan does not contain them, so they are joined by address.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import LOCAL, ROOT

PROGRAM = LOCAL / "checkov" / "bin" / "checkov"
PYTHON = PROGRAM.with_name("python")
_PROGRAM = """
import sys
from checkov.main import Checkov
options = ["--framework", "terraform_plan", "--skip-download", "-o", "json"]
sys.exit(Checkov(["-f", sys.stdin.readline().strip(), *options]).run())
"""
_RESOURCE = re.compile(r'^resource "(?P<type>\w+)" "(?P<name>[\w-]+)" {\n(?P<body>.*?)^}$', re.M | re.S)
_SKIP = re.compile(r"^\s*# checkov:skip=(?P<id>\w+):(?P<reason>.*)$", re.M)


class CheckovFinding(NamedTuple):
    """One failed check."""

    check: str
    name: str
    address: str
    reason: str = ""  # reason of the suppression; empty if there is none


class CheckovResult(NamedTuple):
    """Result of checkov for one plan."""

    passed: int = 0
    explained: Sequence[CheckovFinding] = ()
    failed: Sequence[CheckovFinding] = ()


class Checkov:
    """Process of checkov that waits for a plan, so that its imports, which take seconds, run beside other work.

    Raises UserError if checkov is missing.
    """

    def __init__(self) -> None:
        if not PYTHON.exists():
            raise UserError("checkov: is not set up; run `make setup` in a clone of the repository")
        # Without these variables, checkov calls its vendor's server and prints terminal colors.
        quiet = {**os.environ, "CHECKOV_RUN_SCA_PACKAGE_SCAN": "false", "ANSI_COLORS_DISABLED": "1"}
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [str(PYTHON), "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=quiet,
            cwd=self._folder.name,
        )

    def check(self, plan: bytes) -> CheckovResult:
        """Run the built-in checks on a plan (`terraform show -json`, in UTF-8). Call it once.

        Raises UserError if checkov could not read the plan or checked nothing.
        """
        with self._folder as folder:
            file = Path(folder) / "plan.json"
            file.write_bytes(plan)
            output, errors = self._process.communicate(f"{file}\n")
        try:
            report = json.loads(output)
        except ValueError:
            raise UserError(f"checkov: {errors.strip() or output.strip() or 'gave no report'}") from None
        summary = report.get("summary", report)
        if summary.get("parsing_errors") or not (summary.get("passed") or summary.get("failed")):
            raise UserError(
                f"checkov: checked no resource of the plan: {json.dumps(summary)}; run make setup, which installs the "
                "tested version"
            )
        return _parse_report(report)

    def stop(self) -> None:
        """End the process if no plan needs it."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def _parse_report(report: Mapping[str, Any]) -> CheckovResult:
    explained: list[CheckovFinding] = []
    failed: list[CheckovFinding] = []
    skips = list_suppressions()
    for item in report["results"]["failed_checks"]:
        address = item["resource"]
        reason = skips.get((_remove_instance_keys(address), item["check_id"]), "")
        finding = CheckovFinding(item["check_id"], item["check_name"], address, reason)
        (explained if reason else failed).append(finding)
    return CheckovResult(int(report["summary"]["passed"]), explained, failed)


def list_suppressions() -> dict[tuple[str, str], str]:
    """Return the reasons in comments of the committed HCL, by address without instance keys and check ID."""
    reasons = {}
    for file in [*ROOT.glob("modules/*/*.tf"), *ROOT.glob("envs/*/*.tf")]:
        prefix = f"module.{file.parent.name}." if file.parent.parent.name == "modules" else ""
        for resource in _RESOURCE.finditer(file.read_text()):
            for skip in _SKIP.finditer(resource["body"]):
                reasons[f"{prefix}{resource['type']}.{resource['name']}", skip["id"]] = skip["reason"].strip()
    return reasons


def _remove_instance_keys(address: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", address)
