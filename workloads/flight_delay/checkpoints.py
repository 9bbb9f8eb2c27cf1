"""Checkpoints of a boosted model: written whole or not at all, and taken up only by the run they belong to."""

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING or __package__:
    from .features import InputError
else:  # in a container, the files lie side by side
    from features import InputError

#: The newest is enough to resume; the others stand in for it when it is damaged.
KEEP = 3


class Checkpoint(NamedTuple):
    """A model after some rounds, with what training needs to go on as if it had never stopped."""

    round: int
    model: bytes
    state: dict[str, Any]


class Checkpoints:
    """The checkpoints of one run in one folder, and the record of how far each of its lives got.

    `fingerprint` says what the run is made of, name by name: everything that shapes the model. A life is one start of
    the training script; a spot interruption ends it.
    """

    def __init__(self, folder: Path, fingerprint: dict[str, str]) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self.lives: list[dict[str, int]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left_by_a_crash in folder.glob(".round-*"):
                left_by_a_crash.unlink()
        except OSError as error:
            raise InputError(
                f"checkpoint folder {folder} cannot be used ({error.strerror}): set CHECKPOINT_DIR to another"
            ) from None

    @property
    def rounds_redone(self) -> int:
        """Rounds boosted more than once, because a life ended past its last checkpoint."""
        return sum(max(0, old["to"] - new["from"]) for old, new in zip(self.lives, self.lives[1:], strict=False))

    def newest(self) -> Checkpoint | None:
        """The newest sound checkpoint, or None where there is none at all.

        A damaged one is passed over with a warning. Raises InputError when all are damaged, since starting again in
        silence would waste the work, and when one belongs to another run.
        """
        paths = self._paths()
        for path in reversed(paths):
            checkpoint = self._read(path)
            if checkpoint is not None:
                return checkpoint
            print(f"warning: checkpoint {path} is damaged, trying the one before", file=sys.stderr)
        if paths:
            raise InputError(f"all checkpoints in {self.folder} are damaged: empty the folder to train from the start")
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """Adds a checkpoint and removes those that are no longer needed."""
        header = {"fingerprint": self.fingerprint, "round": checkpoint.round, "state": checkpoint.state}
        body = json.dumps(header).encode() + b"\n" + checkpoint.model
        self._write(f"round-{checkpoint.round:06d}.checkpoint", _digest(body) + b"\n" + body)
        for old in self._paths()[:-KEEP]:
            old.unlink(missing_ok=True)

    def begin_life(self, start: int) -> None:
        """Notes that a life starts after round `start`, and recalls the lives before it."""
        try:
            past = json.loads((self.folder / "lives.json").read_bytes())
            if past["fingerprint"] == self.fingerprint:
                self.lives = past["lives"]
        except (OSError, ValueError, KeyError, TypeError):
            self.lives = []  # it only serves reporting: without it the rounds redone are not known
        self.lives.append({"from": start, "to": start})
        self.reached(start)

    def reached(self, round_: int) -> None:
        """Notes how far this life has come, so that the next one can tell how much it does again."""
        self.lives[-1]["to"] = round_
        self._write("lives.json", json.dumps({"fingerprint": self.fingerprint, "lives": self.lives}).encode())

    def _paths(self) -> list[Path]:
        # SageMaker leaves marker files beside them, such as round-000020.checkpoint.sagemaker-uploaded.
        return sorted(p for p in self.folder.iterdir() if re.fullmatch(r"round-\d{6}\.checkpoint", p.name))

    def _read(self, path: Path) -> Checkpoint | None:
        """The checkpoint, or None if the file is not as it was written."""
        digest, _, body = path.read_bytes().partition(b"\n")
        if digest != _digest(body):
            return None
        header, _, model = body.partition(b"\n")
        content = json.loads(header)
        theirs: dict[str, str] = content["fingerprint"]
        for name in sorted(theirs.keys() | self.fingerprint.keys()):
            was, now = theirs.get(name), self.fingerprint.get(name)
            if was != now:
                raise InputError(
                    f"checkpoint {path} is of another run: {name} was {was} and is {now};"
                    " use the same data and hyperparameters, or another checkpoint folder"
                )
        return Checkpoint(content["round"], model, content["state"])

    def _write(self, name: str, content: bytes) -> None:
        """Writes a file so that, whenever the process dies, the folder holds the old content or the new one.

        The hidden name also keeps half a file from being copied to S3, which SageMaker does while the job runs.
        """
        hidden = self.folder / f".{name}"
        with hidden.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(self.folder / name)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
