"""One ML compute instance of a training job: its disk, the script that runs on it, its checkpoint agent.

A spot interruption takes an instance away with everything on it; the job goes on with a new one.
"""

import enum
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.sandbox.runtime import archives, channels, container
from sustainable_mlops.sandbox.runtime.checkpoints import CheckpointSync
from sustainable_mlops.sandbox.runtime.job_log import JobLog
from sustainable_mlops.sandbox.runtime.process import Process
from sustainable_mlops.sandbox.runtime.s3 import S3, failure
from sustainable_mlops.sandbox.runtime.script_mode import CHECKPOINTS, JobFolder, Script


class Cause(enum.IntEnum):
    """Why an instance's work ended. A higher one wins over a lower one that was asked for before."""

    EXIT = 0
    INTERRUPTION = 1
    MAX_RUNTIME = 2
    MAX_WAIT = 3
    STOP = 4
    CLOSE = 5


@dataclass(frozen=True)
class Timing:
    """Waiting times of the machinery around a script, in seconds."""

    poll: float = 0.5  #: between two looks at checkpoints, limits and logs
    stop_grace: float = 120.0  #: between SIGTERM and SIGKILL when a job is stopped (StopTrainingJob)
    interruption_grace: float = 2.0  #: the same for a spot interruption; the sandbox's choice, EC2 gives two minutes
    capacity_wait: float = 1.0  #: between an interruption and the next instance; the sandbox's choice


class Requests:
    """What other threads ask of a job. The job's own thread obeys, so that it alone touches the process."""

    def __init__(self) -> None:
        self.asked = Cause.EXIT  #: EXIT: nothing was asked, let the script end by itself
        self._lock = threading.Lock()
        self._wake = threading.Event()

    def ask(self, cause: Cause) -> None:
        """Ask for an end; a stronger one that was asked for already stays."""
        with self._lock:
            self.asked = max(self.asked, cause)
        self.wake()

    def done(self, cause: Cause) -> None:
        """Take a request off, unless a stronger one has come meanwhile."""
        with self._lock:
            if self.asked == cause:
                self.asked = Cause.EXIT

    def wake(self) -> None:
        """End the job thread's `wait`."""
        self._wake.set()

    def wait(self, seconds: float) -> None:
        """Sleep, at most so long."""
        self._wake.wait(seconds)
        self._wake.clear()


@dataclass(frozen=True)
class Ending:
    """How a script ended: why, its return code, its failure in SageMaker's words (if nobody had asked it to end)."""

    cause: Cause
    return_code: int
    failure_reason: str


class Instance:
    """An instance for `request`. Call `prepare`, then `run`, each once, in the job's thread."""

    def __init__(self, request: Mapping[str, Any], folder: JobFolder, s3: S3, log: JobLog, timing: Timing) -> None:
        self.pid: int | None = None
        self._request = request
        self._folder = folder
        self._s3 = s3
        self._log = log
        self._timing = timing
        self._script = Script(request, folder)
        self._checkpoints = self._checkpoint_sync()

    @property
    def checkpoint_uploads(self) -> int:
        """Checkpoint files that this instance has uploaded."""
        return self._checkpoints.uploads if self._checkpoints else 0

    def _checkpoint_sync(self) -> CheckpointSync | None:
        config = self._request.get("CheckpointConfig")
        if config is None:
            return None
        local = config.get("LocalPath", CHECKPOINTS)
        path = self._folder.root / container.translate(local, self._folder.root)
        if not path.is_relative_to(self._folder.root) or ".." in path.parts:
            raise UserError(f"CheckpointConfig.LocalPath: {local!r} is not under {container.ML_ROOT}")
        address = S3Uri.parse(config["S3Uri"], "CheckpointConfig.S3Uri")
        return CheckpointSync(self._s3, address, path)

    def prepare(self) -> None:
        """A fresh disk with data, code and checkpoints from S3. Raises UserError for what is missing or broken."""
        self._folder.reset()
        self._script.write_configuration()
        for channel in self._request.get("InputDataConfig", []):
            channels.download(self._s3, channel, self._folder.data / channel["ChannelName"])
        self._unpack_source()
        (self._folder.root / "checkpoints").mkdir(exist_ok=True)
        if self._checkpoints:
            self._checkpoints.restore()

    def _unpack_source(self) -> None:
        source = self._script.source
        if isinstance(source, Path):
            self._unpack(source, source.name)
        else:
            with tempfile.TemporaryDirectory(dir=self._folder.root) as download:
                archive = Path(download) / "sourcedir.tar.gz"
                with failure("Source download", source):
                    self._s3.download(source, archive)
                self._unpack(archive, str(source))
        if (self._folder.code / "requirements.txt").is_file():
            self._log.write("requirements.txt is not installed: the sandbox runs scripts with its own Python")

    def _unpack(self, archive: Path, name: str) -> None:
        try:
            content = archive.open("rb")
        except OSError as error:
            raise UserError(f"source {name}: no channel has brought such an archive ({error.strerror})") from error
        with content:
            archives.unpack(content, self._folder.code, f"source {name}")

    def run(self, requests: Requests, limit: Callable[[], Cause], progress: Callable[[Cause], None]) -> Ending:
        """Run the script until it ends, or `requests` or `limit()` ask for its end.

        `progress(cause)` is called often, with why the script is being ended (EXIT: it is not).
        """
        process = Process(
            self._script.command,
            self._folder.code,
            self._script.environment(self._s3.region),
            self._log.write,
            requests.wake,
        )
        self.pid = process.pid
        try:
            cause = Cause.EXIT
            while cause is Cause.EXIT and process.poll() is None:
                requests.wait(self._timing.poll)
                self._look_around(process)
                progress(cause)
                if process.poll() is None:
                    cause = max(requests.asked, limit())
            if cause is not Cause.EXIT:
                self._terminate(process, cause, requests, progress)
        finally:
            self.pid = None
            return_code = process.close()
        cause = max(cause, requests.asked) if cause is not Cause.EXIT else cause
        if self._checkpoints and return_code >= 0:  # a killed script may have been writing: nothing more of it
            self._checkpoints.upload(lambda: ())
        self._log.flush()
        errors = self._log.last_errors(600)
        return Ending(cause, return_code, self._script.failure_reason(return_code, errors) if return_code else "")

    def _terminate(self, process: Process, cause: Cause, requests: Requests, progress: Callable[[Cause], None]) -> None:
        """SIGTERM, then the grace in which the script may save its work; what remains is killed by `close`."""
        progress(cause)
        grace = self._timing.interruption_grace if cause is Cause.INTERRUPTION else self._timing.stop_grace
        deadline = time.monotonic() + grace
        process.terminate()
        while process.poll() is None and requests.asked is not Cause.CLOSE:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            requests.wait(min(left, self._timing.poll))
            self._look_around(process)
            progress(cause)

    def _look_around(self, process: Process) -> None:
        if self._checkpoints:
            self._checkpoints.upload(process.files_being_written)
        self._log.flush()
