"""Checkpoints of a boosted model, written atomically and loaded only by the run that wrote them."""

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING or __package__:
    from .features import InputError
else:  # a container has all files in one folder
    from features import InputError

#: Number of checkpoints to keep. The newest is enough to resume; the others replace it if it is damaged.
KEEP = 3


class Checkpoint(NamedTuple):
    """A model after some rounds, with the state that training needs to continue."""

    round: int
    model: bytes
    state: dict[str, Any]


class Checkpoints:
    """The checkpoints of one run in one folder, with the progress of each attempt.

    `fingerprint` contains everything that shapes the model, by name. A life is one start of the training script; a spot
    interruption ends it.
    """

    def __init__(self, folder: Path, fingerprint: dict[str, str]) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self.lives: list[dict[str, int]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for partial_file in folder.glob(".round-*"):
                partial_file.unlink()
        except OSError as error:
            raise InputError(
                f"checkpoint folder {folder} cannot be used ({error.strerror}): set CHECKPOINT_DIR to another"
            ) from None

    @property
    def rounds_redone(self) -> int:
        """Number of rounds that were boosted more than once, because a life ended after its last checkpoint."""
        return sum(
            max(0, earlier["to"] - later["from"]) for earlier, later in zip(self.lives, self.lives[1:], strict=False)
        )

    def load_newest(self) -> Checkpoint | None:
        """Return the newest intact checkpoint; None if there is no checkpoint.

        Skips a damaged checkpoint with a warning. Raises InputError if all checkpoints are damaged, or if one belongs
        to another run.
        """
        paths = self._list_paths()
        for path in reversed(paths):
            checkpoint = self._read(path)
            if checkpoint is not None:
                return checkpoint
            print(f"warning: checkpoint {path} is damaged, trying the one before", file=sys.stderr)
        if paths:
            raise InputError(f"all checkpoints in {self.folder} are damaged: empty the folder to train from the start")
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint and delete the oldest beyond KEEP."""
        header = {"fingerprint": self.fingerprint, "round": checkpoint.round, "state": checkpoint.state}
        body = json.dumps(header).encode() + b"\n" + checkpoint.model
        self._write(f"round-{checkpoint.round:06d}.checkpoint", _compute_digest(body) + b"\n" + body)
        for old in self._list_paths()[:-KEEP]:
            old.unlink(missing_ok=True)

    def begin_life(self, start: int) -> None:
        """Record that a life starts after round `start`, and load the lives before it."""
        try:
            content = json.loads((self.folder / "lives.json").read_bytes())
            if content["fingerprint"] == self.fingerprint:
                self.lives = content["lives"]
        except (OSError, ValueError, KeyError, TypeError):
            self.lives = []  # only the report needs it: the number of repeated rounds is then unknown
        self.lives.append({"from": start, "to": start})
        self.record_round(start)

    def record_round(self, round_: int) -> None:
        """Record the last round of this life, so that the next life can count the repeated rounds."""
        self.lives[-1]["to"] = round_
        self._write("lives.json", json.dumps({"fingerprint": self.fingerprint, "lives": self.lives}).encode())

    def _list_paths(self) -> list[Path]:
        # SageMaker adds marker files such as round-000020.checkpoint.sagemaker-uploaded.
        return sorted(p for p in self.folder.iterdir() if re.fullmatch(r"round-\d{6}\.checkpoint", p.name))

    def _read(self, path: Path) -> Checkpoint | None:
        """Return the checkpoint; None if the file is damaged."""
        digest, _, body = path.read_bytes().partition(b"\n")
        if digest != _compute_digest(body):
            return None
        header, _, model = body.partition(b"\n")
        content = json.loads(header)
        saved: dict[str, str] = content["fingerprint"]
        for name in sorted(saved.keys() | self.fingerprint.keys()):
            saved_value, own_value = saved.get(name), self.fingerprint.get(name)
            if saved_value != own_value:
                raise InputError(
                    f"checkpoint {path} is of another run: {name} was {saved_value} and is {own_value};"
                    " use the same data and hyperparameters, or another checkpoint folder"
                )
        return Checkpoint(content["round"], model, content["state"])

    def _write(self, name: str, content: bytes) -> None:
        """Write a file atomically: the folder has the old or the new content at any time.

        SageMaker copies the folder to S3 during the job; the hidden name keeps it from copying a partial file.
        """
        hidden = self.folder / f".{name}"
        with hidden.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(self.folder / name)


def _compute_digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
