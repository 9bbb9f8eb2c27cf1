"""Packing of the source code into an archive whose digest depends on the files only."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.ignore import find_mentions, is_private, list_likely_secrets, load_rules
from sustainable_mlops.jobs.measurement import smlops_measure
from sustainable_mlops.jobs.specs.common import SourceSpec

#: Maximum size of the source. Larger sources are nearly always data or a virtual environment, packed by mistake.
MAX_BYTES = 50 * 1024 * 1024
ARCHIVE = "source.tar.gz"
#: Script that every archive contains beside the source: it starts the entry point and measures it.
_MEASURING_SCRIPT = Path(smlops_measure.__file__)
MEASURING_SCRIPT = _MEASURING_SCRIPT.name
#: Files that pip installs from, before the script. Only a container with a network can do that.
NETWORK_FILES = ("requirements.txt", "pyproject.toml")


@dataclass(frozen=True)
class SourcePackage:
    """The packed source."""

    archive: bytes
    #: SHA-256 of the uncompressed archive, as compression can differ between zlib versions. The measuring script is
    #: excluded: the result does not depend on it.
    digest: str
    files: tuple[str, ...]
    #: Bytes of each of the files.
    sizes: tuple[int, ...]
    #: Files that `include` matches but that are not sent: see ignore.py.
    ignored_files: tuple[str, ...]
    #: Ignored files that sent code mentions, each with that code.
    mentions: dict[str, str]
    #: Ignored files with names of secrets.
    likely_secrets: list[str]


def pack_source_folder(source: SourceSpec, root: Path) -> SourcePackage:
    """Pack the files that `source.include` matches under `root`. Raises UserError naming the field of job.yaml."""
    if not root.is_dir():
        raise UserError(f"source.directory: the folder {root} does not exist; correct the path")
    if not (root / source.entry_point).is_file():
        raise UserError(f"source.entry_point: {root} has no {source.entry_point}; correct the name")
    files, ignored = _select_files(source, root.resolve())
    if source.entry_point not in files:
        raise UserError(f"source.include: does not match the entry point {source.entry_point}; add it")
    if MEASURING_SCRIPT in files:
        raise UserError(
            f"source.include: the launcher reserves the name {MEASURING_SCRIPT}; rename or exclude your file"
        )
    sizes = {name: path.stat().st_size for name, path in files.items()}
    size = sum(sizes.values())
    if size > MAX_BYTES:
        biggest = max(sizes, key=lambda name: sizes[name])
        raise UserError(
            f"source: {size / 1e6:.0f} MB is more than the maximum of {MAX_BYTES / 1e6:.0f} MB for code (largest: "
            f"{biggest}); narrow source.include, and name data sets in data"
        )
    return SourcePackage(
        archive=gzip.compress(_make_tar({**files, MEASURING_SCRIPT: _MEASURING_SCRIPT}), mtime=0),
        digest=hashlib.sha256(_make_tar(files)).hexdigest(),
        files=tuple(files),
        sizes=tuple(sizes.values()),
        ignored_files=tuple(sorted(ignored)),
        mentions=find_mentions(ignored, files),
        likely_secrets=list_likely_secrets(ignored),
    )


def name_archive_folder(digest: str) -> str:
    """Return the folder name in S3 for a source with this digest; it also depends on the measuring script."""
    return f"{digest}-{hashlib.sha256(_MEASURING_SCRIPT.read_bytes()).hexdigest()[:8]}"


def _select_files(source: SourceSpec, root: Path) -> tuple[dict[str, Path], set[str]]:
    """Return the archive names and files, sorted by name, and the names of the ignored files."""
    files: dict[str, Path] = {}
    ignored: set[str] = set()
    rules = load_rules(root)
    for pattern in source.include:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise UserError(f"source.include: {pattern} is outside the source directory; write paths inside it")
        if not Path(pattern).parts or any("**" in part and part != "**" for part in Path(pattern).parts):
            raise UserError(f"source.include: {pattern!r} is not a valid pattern; write **/* or **/*.py")
        paths = [path for path in root.glob(pattern) if path.is_symlink() or path.is_file()]
        if not paths:
            raise UserError(f"source.include: no file in {root} matches {pattern}; correct the pattern")
        for path in paths:
            name = path.relative_to(root).as_posix()
            if is_private(Path(name)) or _links_to_private(path, root):
                if name == pattern:
                    raise UserError(
                        f"source.include: {name} looks like a secret or a cache, and is never sent; remove it from "
                        "source.include, or rename it"
                    )
                ignored.add(name)
                continue
            if rules.is_ignored(name, path, pattern):
                ignored.add(name)
                continue
            target = _resolve_target(path, name, root)
            if target.is_file():
                files[name] = target
    return dict(sorted(files.items())), ignored - files.keys()


def _links_to_private(path: Path, root: Path) -> bool:
    target = path.resolve()
    return target.is_relative_to(root) and is_private(target.relative_to(root))


def _resolve_target(path: Path, name: str, root: Path) -> Path:
    target = path.resolve()
    if not target.is_relative_to(root):
        raise UserError(f"source: {name} links to a file outside the source directory; copy the file into it")
    if not target.exists():
        raise UserError(f"source: {name} is a broken link; repair it or exclude it from source.include")
    return target


def _make_tar(files: dict[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in files.items():
            try:
                content = path.read_bytes()
            except OSError as error:
                raise UserError(f"source: {name} cannot be read: {error.strerror}; correct its permissions") from None
            # A new TarInfo has mtime 0, uid and gid 0 and no owner: only name, mode and content remain.
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
