"""Compilation of a trained model for the processors of its endpoints, before its registration."""

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import read_text
from sustainable_mlops.jobs.record import RunRecord


def compile_model(record: RunRecord, script: Path, s3: Client) -> RunRecord:
    """Return the record with a compiled copy of its model, which has the same files and those of the script.

    The command `script --model_dir FOLDER` adds files to the content of the model's archive. The copy is beside the
    model, and its name has the digest of the script: a second call with the same script uses the existing copy. Raises
    UserError.
    """
    if record.model is None:
        raise UserError(f"--compile: {record.job_name} has no model; train it again")
    code = read_text(script)
    model = S3Uri.parse(record.model)
    digest = hashlib.sha256(code.encode()).hexdigest()[:12]
    compiled = S3Uri(model.bucket, f"{model.key.removesuffix('.tar.gz')}-compiled-{digest}.tar.gz")
    with aws.translate_aws_errors(record.model):
        if not aws.has_object(s3, str(compiled)):
            archive = s3.get_object(Bucket=model.bucket, Key=model.key)["Body"].read()
            content = _add_compiled_files(archive, script, record.model)
            s3.put_object(Bucket=compiled.bucket, Key=compiled.key, Body=content, ContentType="application/gzip")
    return record.model_copy(update={"model": str(compiled)})


def _add_compiled_files(archive: bytes, script: Path, address: str) -> bytes:
    """Return the archive with the files that the script adds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise UserError(f"--compile: {address} cannot be read: {error}") from None
        command = [sys.executable, str(script), "--model_dir", str(folder)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode:
            lines = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
            raise UserError(f"--compile: {script}: {lines[-1].removeprefix('error: ')}")
        return _pack_folder(folder)


def _pack_folder(folder: Path) -> bytes:
    """Return an archive of a folder. The same files give the same bytes."""
    content = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as files,
    ):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = path.stat().st_size
            with path.open("rb") as file:
                files.addfile(member, file)
    return content.getvalue()
