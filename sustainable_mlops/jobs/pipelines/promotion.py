"""Promote and roll back the pipeline of a pipeline file."""

from pathlib import Path

from sustainable_mlops import aws
from sustainable_mlops.jobs.launch import find_platform
from sustainable_mlops.jobs.pipelines.launch import check_deployed, read_files
from sustainable_mlops.jobs.pipelines.versions import AliasMove, find_pipeline_name, promote, rollback
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec


def promote_file(path: Path, version: int | None) -> AliasMove:
    """Make the version live, the newest unless given.

    The newest is that of the definition here: its code is uploaded first, as whoever starts it has none. Raises
    UserError.
    """
    if version is not None:
        return promote(*_place(path), version=version)
    files = read_files(path)
    clients = aws.connect_clients(files.platform.region)
    check_deployed(files, clients.sagemaker)
    files.upload(clients.s3)
    return promote(find_pipeline_name(files.spec, files.platform)[0], clients.sagemaker)


def rollback_file(path: Path, version: int | None) -> AliasMove:
    """Make the version live that was before, or the one given. Raises UserError."""
    return rollback(*_place(path), version=version)


def _place(path: Path) -> tuple[str, aws.Client]:
    """The pipeline's name, and a client of SageMaker where it is."""
    spec = load_spec_file(path, PipelineSpec)
    with aws.translate_aws_errors("AWS"):
        platform = find_platform(spec.platform)
    return find_pipeline_name(spec, platform)[0], aws.make_client("sagemaker", platform.region)
