"""Root module of an adoption: resources as they exist, and their import blocks."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, AdoptionReport, ImportedResource
from sustainable_mlops.account.adopt.environment_settings import FILE as SETTINGS_FILE
from sustainable_mlops.account.adopt.environment_settings import render_environment_settings
from sustainable_mlops.authoring.hcl import BlockLayout, render_block, render_comment
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import PROVIDER_VERSIONS, VERSIONS, find_engine, make_environment

#: File of each kind of object.
FILES = {
    "KMS key": "keys.tf",
    "bucket": "buckets.tf",
    "feature group": "feature_groups.tf",
    "model package group": "model_package_groups.tf",
    "log group": "log_groups.tf",
    "endpoint": "endpoints.tf",
    "pipeline": "pipelines.tf",
}
_IMPORTS_COMMENT = "After the first apply, these blocks have no effect and may be deleted."
_BACKEND_COMMENT = (
    "Add the backend of your state before the first apply: https://developer.hashicorp.com/terraform/language/backend"
)


def check_folder(folder: Path) -> None:
    """Raise UserError if a configuration cannot be written to the folder."""
    try:
        _check_folder(folder)
    except OSError as error:  # a folder above that cannot be entered, or a name that is too long
        raise UserError(f"--into {folder}: cannot be written: {error.strerror}; pass another folder") from None


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--into {folder}: is a file; pass a folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"--into {folder}: is not empty; pass a new folder, so that no file is overwritten")
    if folder.is_symlink() and not folder.exists():
        raise UserError(f"--into {folder}: is a broken link; pass a new folder")
    ancestor = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not ancestor.is_dir() or not os.access(ancestor, os.W_OK | os.X_OK):
        problem = "is not writable" if ancestor.is_dir() else "is a file"
        raise UserError(f"--into {folder}: cannot be written, because {ancestor} {problem}; pass another folder")


def render_files(report: AdoptionReport) -> dict[str, str]:
    """Return the files of the root module by path. Raises UserError if they cannot be formatted."""
    references = {
        adopted_object.resources[0].import_id: f"${{{adopted_object.resources[0].address}.arn}}"
        for adopted_object in report.adopted_objects
        if adopted_object.kind == "KMS key"
    }
    arns = {f"{report.key_arn_prefix}{key_id}": reference for key_id, reference in references.items()}
    sources = {"versions.tf": _render_versions(report), "imports.tf": _render_imports(report)}
    for adopted_object in report.adopted_objects:
        file = FILES[adopted_object.kind]
        own = {} if adopted_object.kind == "KMS key" else arns
        sources[file] = "\n".join(filter(None, [sources.get(file, ""), _render_object(adopted_object, own)]))
    others = {path: text for adopted_object in report.adopted_objects for path, text in adopted_object.files.items()}
    if settings := render_environment_settings(report):
        others[SETTINGS_FILE] = settings
    return format_files(sources) | others


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a root module to a folder that is new or empty.

    Write all of them or none. Raises UserError.
    """
    targets = {folder / path: text for path, text in files.items()}
    try:
        for target, text in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())  # bytes keep the line endings of the text
    except BaseException as error:
        for target in targets:
            with suppress(OSError):
                target.unlink(missing_ok=True)
            if target.parent != folder:
                with suppress(OSError):  # a folder with other files stays
                    target.parent.rmdir()
        if not isinstance(error, OSError):
            raise
        place = error.filename or folder
        raise UserError(
            f"{place}: cannot be written: {error.strerror}; free some space, or pass another folder"
        ) from None


def _render_versions(report: AdoptionReport) -> str:
    terraform = {
        "required_version": VERSIONS,
        "required_providers": {"aws": {"source": "hashicorp/aws", "version": PROVIDER_VERSIONS}},
    }
    provider = {"region": report.region, "allowed_account_ids": [report.account_id]}
    shape = BlockLayout({"required_providers": BlockLayout()}, order=("required_version",))
    lead = render_comment(_BACKEND_COMMENT)
    return render_block("terraform", terraform, shape, lead) + "\n" + render_block('provider "aws"', provider)


def _render_imports(report: AdoptionReport) -> str:
    blocks = [
        render_block("import", {"to": f"${{{one.address}}}", "id": one.import_id}, BlockLayout(order=("to", "id")))
        for one in report.list_resources()
    ]
    return render_comment(_IMPORTS_COMMENT) + "\n" + "\n".join(blocks)


def _render_object(adopted_object: AdoptedObject, arns: Mapping[str, str]) -> str:
    notes = "".join(render_comment(note) for note in adopted_object.notes)
    return notes + "\n".join(_render_resource(resource, arns) for resource in adopted_object.resources)


def _render_resource(resource: ImportedResource, arns: Mapping[str, str]) -> str:
    header = f"resource {json.dumps(resource.type)} {json.dumps(resource.label)}"
    return render_block(header, _insert_references(resource.body, arns), resource.layout)


def _insert_references(value: Any, arns: Mapping[str, str]) -> Any:
    """Return a body in which the ARN of an adopted key is a reference to it."""
    if isinstance(value, str):
        return arns.get(value, value)
    if isinstance(value, Mapping):
        return {key: _insert_references(item, arns) for key, item in value.items()}
    if isinstance(value, list):
        return [_insert_references(item, arns) for item in value]
    return value


def format_files(sources: Mapping[str, str]) -> dict[str, str]:
    """Return HCL files in the format of `terraform fmt`. Raises UserError."""
    with tempfile.TemporaryDirectory() as name:
        for path, text in sources.items():
            Path(name, path).write_text(text, encoding="utf-8")
        command = [find_engine().path, "fmt", "-list=false", name]
        result = subprocess.run(command, capture_output=True, text=True, env=make_environment(), check=False)
        if result.returncode:
            raise UserError(
                f"terraform fmt cannot format the generated files: {result.stderr.strip()}; report this error"
            )
        return {path: Path(name, path).read_text(encoding="utf-8") for path in sources}
