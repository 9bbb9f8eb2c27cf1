"""Archives in tar.gz format that SageMaker exchanges through S3: source code, models and output."""

import gzip
import tarfile
import zlib
from pathlib import Path
from typing import IO

from sustainable_mlops.base.errors import UserError


def pack(folder: Path, archive: IO[bytes]) -> None:
    """Write the contents of `folder` as tar.gz.

    Equal contents give equal bytes: sorted, without times, owners or umask.
    """
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=archive, mtime=0, compresslevel=6) as compressed,
        tarfile.open(fileobj=compressed, mode="w", dereference=True) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            member = tar.gettarinfo(path, arcname=path.relative_to(folder).as_posix())
            member.mtime = member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            if member.isreg():
                with path.open("rb") as content:
                    tar.addfile(member, content)
            else:
                tar.addfile(member)


def unpack(archive: IO[bytes], folder: Path, name: str) -> None:
    """Unpack a tar.gz into `folder`; refuse devices, and members outside the folder.

    Raises UserError, which calls the archive `name`. The caller removes what was unpacked until then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=archive, mode="r:gz") as tar:
            tar.extractall(folder, filter="data")
    except tarfile.FilterError as error:
        raise UserError(f"{name}: refused, {error}; pack files by paths relative to their own folder") from error
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UserError(f"{name}: not a complete tar.gz archive ({error}); pack and upload it again") from error
