"""`synth --watch` shows the difference after each edit and continues after errors."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sustainable_mlops.base.terraform import ROOT
from tests.cases import check_cases

#: Texts of the sources that the test of `--watch` edits.
EVENTS = ("modules/storage/buckets.py", "eventbridge=True")
DESCRIPTION = ("modules/storage/inputs.py", "Delete checkpoints.")
RETENTION = ("envs/dev/settings.yaml", "log_retention_days: 14")
PREFIX = ("envs/dev/settings.yaml", "name_prefix: smlops-dev")
VERSIONS = ("sustainable_mlops/base/terraform.py", '">= 5.100.0, < 7.0.0"')
#: Longer than any synthesis on a busy machine; no test waits for all of it.
TIMEOUT_S = 180
MOST_MB = 500


class Watcher:
    """`smlops synth --watch` in a copy of the sources."""

    def __init__(self, copy: Path) -> None:
        self._out, self._errors = copy / "out.txt", copy / "errors.txt"
        with self._out.open("w") as out, self._errors.open("w") as errors:
            self.process = psutil.Popen(
                [sys.executable, copy / "scripts" / "synth.py", "--watch"],
                env={**os.environ, "PYTHONPATH": str(copy)},
                stdout=out,
                stderr=errors,
            )

    @property
    def differences(self) -> str:
        return self._out.read_text()

    @property
    def messages(self) -> list[str]:
        return self._errors.read_text().split("\n")[:-1]  # without an incomplete last line

    @property
    def node(self) -> set[psutil.Process]:
        return set(self.process.children(recursive=True))

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds while the watcher lives."""
        end = time.monotonic() + TIMEOUT_S
        while not condition():
            assert self.process.poll() is None, self.messages
            assert time.monotonic() < end, self.messages
            time.sleep(0.05)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@check_cases("file, text", [EVENTS, DESCRIPTION, RETENTION, PREFIX, VERSIONS])
def test_the_sources_contain_each_edited_text_once(file: str, text: str) -> None:
    assert (ROOT / file).read_text().count(text) == 1


@pytest.mark.release
def test_watch_reports_differences_and_errors_with_one_jsii_process(copy: Path) -> None:
    buckets, hcl = copy / EVENTS[0], copy / "modules" / "storage" / "buckets.tf"
    committed = hcl.read_text()
    watcher = Watcher(copy)
    try:
        watcher.until(lambda: watcher.messages)
        assert watcher.messages[-1].startswith("0 files written"), "the committed files are current"
        processes = watcher.node
        assert sum(process.memory_info().rss for process in processes) < MOST_MB * 1e6, (
            "only resources in use are loaded"
        )

        replace(buckets, EVENTS[1], "eventbridge=False")
        watcher.until(lambda: re.search(r"^\+ +eventbridge += false$", watcher.differences, re.M))
        assert re.search(r"eventbridge += false", hcl.read_text())

        inputs, readme = copy / DESCRIPTION[0], copy / "modules" / "storage" / "README.md"
        replace(inputs, DESCRIPTION[1], "Remove checkpoints.")
        watcher.until(lambda: "Remove checkpoints." in readme.read_text())

        settings, root = copy / RETENTION[0], copy / "envs" / "dev" / "main.tf"
        replace(settings, RETENTION[1], "log_retention_days: 90")
        watcher.until(lambda: re.search(r"log_retention_days += 90", root.read_text()))

        replace(buckets, "eventbridge=False", "eventbrige=False")
        watcher.until(lambda: "eventbrige" in watcher.messages[-1])
        assert re.fullmatch(
            r"error: modules/storage/buckets\.py:\d+: S3BucketNotification has no argument 'eventbrige'; "
            r"did you mean 'eventbridge'\?",
            watcher.messages[-1],
        )
        replace(buckets, "eventbrige=False", "eventbridge=(")
        watcher.until(lambda: "SyntaxError" in watcher.messages[-1])
        assert re.fullmatch(r"error: modules/storage/buckets\.py:\d+: SyntaxError: .+", watcher.messages[-1])
        replace(settings, PREFIX[1], "name_prefix: Dev_")
        replace(buckets, "eventbridge=(", "eventbridge=True")
        watcher.until(lambda: "name_prefix: 'Dev_' must be 3 to 24" in watcher.messages[-1])
        assert re.search(r"eventbridge += false", hcl.read_text()), "files do not change after an error"

        replace(settings, "name_prefix: Dev_", PREFIX[1])
        watcher.until(lambda: hcl.read_text() == committed)
        assert processes <= watcher.node

        versions = copy / "modules" / "storage" / "versions.tf"
        replace(copy / VERSIONS[0], VERSIONS[1], '">= 5.101.0, < 7.0.0"')
        watcher.until(lambda: ">= 5.101.0" in versions.read_text())
        watcher.until(lambda: not processes & watcher.node)
        watcher.process.send_signal(signal.SIGINT)
        assert watcher.process.wait(TIMEOUT_S) == 130
    finally:
        for process in [*watcher.node, watcher.process] if watcher.process.poll() is None else []:
            process.kill()
