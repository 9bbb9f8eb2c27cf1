"""Promotion and rollback of the pipeline of a pipeline file."""

from pathlib import Path

from sustainable_mlops import aws
from sustainable_mlops.jobs.launch import find_platform
from sustainable_mlops.jobs.pipelines.launch import check_deployed, read_files
from sustainable_mlops.jobs.pipelines.versions import AliasMove, find_pipeline_name, promote, roll_back
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec


def promote_file(path: Path, version: int | None) -> AliasMove:
    """Make a version live, by default the newest.

    The newest version must have the definition of the file. Its code is uploaded first, because a schedule or an event
    has no code to upload. Raises UserError.
    """
    if version is not None:
        return promote(*_locate_pipeline(path), version=version)
    files = read_files(path)
    clients = aws.connect_clients(files.platform.region)
    check_deployed(files, clients.sagemaker)
    files.upload(clients.s3)
    return promote(find_pipeline_name(files.spec, files.platform)[0], clients.sagemaker)


def roll_back_file(path: Path, version: int | None) -> AliasMove:
    """Make the previous live version live again, or the given one. Raises UserError."""
    return roll_back(*_locate_pipeline(path), version=version)


def _locate_pipeline(path: Path) -> tuple[str, aws.Client]:
    """Return the pipeline's name, and a SageMaker client for its Region."""
    spec = load_spec_file(path, PipelineSpec)
    with aws.translate_aws_errors("AWS"):
        platform = find_platform(spec.platform)
    return find_pipeline_name(spec, platform)[0], aws.make_client("sagemaker", platform.region)
