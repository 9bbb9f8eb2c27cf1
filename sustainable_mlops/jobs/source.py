"""Pack the source code into an archive that depends on the files alone, so that its digest can name it."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.ignore import is_private, rule, spoken_of
from sustainable_mlops.jobs.measurement import smlops_measure
from sustainable_mlops.jobs.specs.common import Source

#: Code is small. More than this is nearly always data or a virtual environment packed by mistake.
MAX_BYTES = 50 * 1024 * 1024
ARCHIVE = "source.tar.gz"
#: What every archive has beside the source: it starts the entry point and measures it.
_MEASURING = Path(smlops_measure.__file__)
MEASURING = _MEASURING.name
#: What only pip with a network could honour (the containers run pip on the source folder before the script).
NEEDS_NETWORK = ("requirements.txt", "pyproject.toml")


@dataclass(frozen=True)
class Package:
    """The packed source."""

    archive: bytes
    #: SHA-256 of the source, as an archive before compression, which may differ between versions of zlib. What measures
    #: it is left out: the result does not depend on that.
    digest: str
    files: tuple[str, ...]
    #: Bytes of each of the files.
    sizes: tuple[int, ...]
    #: Matched by `include`, and left out: see left_out.py.
    left_out: tuple[str, ...]
    #: Of these, what code that is sent speaks of; and that code.
    spoken_of: dict[str, str]


def pack(source: Source, root: Path) -> Package:
    """Pack what `source.include` matches under `root`. Raises UserError naming the field of job.yaml."""
    if not root.is_dir():
        raise UserError(f"source.directory: there is no folder {root}")
    if not (root / source.entry_point).is_file():
        raise UserError(f"source.entry_point: there is no {source.entry_point} in {root}")
    files, left_out = _select(source, root.resolve())
    if source.entry_point not in files:
        raise UserError(f"source.include: {source.entry_point}, the entry point, is not among the files; add it")
    if MEASURING in files:
        raise UserError(f"source.include: {MEASURING} is the launcher's own; rename yours, or leave it out")
    sizes = {name: path.stat().st_size for name, path in files.items()}
    size = sum(sizes.values())
    if size > MAX_BYTES:
        biggest = max(sizes, key=lambda name: sizes[name])
        raise UserError(
            f"source: {size / 1e6:.0f} MB is more than the {MAX_BYTES / 1e6:.0f} MB that code may have "
            f"(largest: {biggest}); narrow source.include, and give data sets under data"
        )
    return Package(
        archive=gzip.compress(_tar({**files, MEASURING: _MEASURING}), mtime=0),
        digest=hashlib.sha256(_tar(files)).hexdigest(),
        files=tuple(files),
        sizes=tuple(sizes.values()),
        left_out=tuple(sorted(left_out)),
        spoken_of=spoken_of(left_out, files),
    )


def directory(digest: str) -> str:
    """The folder in S3 that the archive of a source with this digest is kept in, told apart by what measures it."""
    return f"{digest}-{hashlib.sha256(_MEASURING.read_bytes()).hexdigest()[:8]}"


def _select(source: Source, root: Path) -> tuple[dict[str, Path], set[str]]:
    """Name in the archive to file, sorted by name; and the names left out."""
    files: dict[str, Path] = {}
    left_out: set[str] = set()
    stays = rule(root)
    for pattern in source.include:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise UserError(f"source.include: {pattern} leaves the source directory; name files inside it")
        matches = [path for path in root.glob(pattern) if path.is_symlink() or path.is_file()]
        if not matches:
            raise UserError(f"source.include: nothing in {root} matches {pattern}")
        for path in matches:
            name = path.relative_to(root).as_posix()
            if is_private(Path(name)) or _links_to_private(path, root):
                if name == pattern:
                    raise UserError(f"source.include: {name} looks like a secret or a cache, which is never sent")
                left_out.add(name)
                continue
            if stays.leaves_out(name, path, pattern):
                left_out.add(name)
                continue
            target = _target(path, name, root)
            if target.is_file():
                files[name] = target
    return dict(sorted(files.items())), left_out - files.keys()


def _links_to_private(path: Path, root: Path) -> bool:
    target = path.resolve()
    return target.is_relative_to(root) and is_private(target.relative_to(root))


def _target(path: Path, name: str, root: Path) -> Path:
    target = path.resolve()
    if not target.is_relative_to(root):
        raise UserError(f"source: {name} is a link out of the source directory; copy the file in")
    if not target.exists():
        raise UserError(f"source: {name} is a broken link; mend it or leave it out of source.include")
    return target


def _tar(files: dict[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in files.items():
            try:
                content = path.read_bytes()
            except OSError as error:
                raise UserError(f"source: {name} cannot be read: {error.strerror}") from None
            # A TarInfo made by hand has mtime 0, uid and gid 0, no owner: only name, mode and content remain.
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
