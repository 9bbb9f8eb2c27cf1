"""From `pipeline.yaml` to an execution: `prepare` reads and decides, `begin` uploads, updates and starts."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.launch import find_platform, pack_source
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.pipelines import parameters, registry
from sustainable_mlops.jobs.pipelines.data import DataFolder, read_data_folder
from sustainable_mlops.jobs.pipelines.names import KIND_OF_STEP, make_step_name
from sustainable_mlops.jobs.pipelines.parameters import INPUT_KEY, Definition, Job
from sustainable_mlops.jobs.pipelines.record import PipelineRecord
from sustainable_mlops.jobs.pipelines.versions import (
    PipelineVersion,
    find_pipeline,
    find_pipeline_name,
    read_newest_definition,
)
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.source import SourcePackage
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.common import UtilizationFloor, format_scalar
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec
from sustainable_mlops.settings import did_you_mean

#: none: the deployed version is of this definition. create, update: it is deployed first.
Change = Literal["none", "create", "update"]


@dataclass(frozen=True)
class PipelineFiles:
    """A pipeline file and all that it names, read and packed, and the platform it is for."""

    path: Path
    spec: PipelineSpec
    definition: Definition
    jobs: Mapping[str, Job]
    platform: Platform
    #: Address to the packed source that belongs there.
    sources: Mapping[str, SourcePackage]

    def upload(self, s3: Client) -> None:
        """Put the sources that are missing. Raises UserError."""
        for address, package in self.sources.items():
            with aws.translate_aws_errors(f"uploading the source to {address}"):
                if not aws.has_object(s3, address):
                    bucket, key = S3Uri.parse(address)
                    s3.put_object(Bucket=bucket, Key=key, Body=package.archive, ContentType="application/gzip")


@dataclass(frozen=True)
class PipelineLaunch:
    """What a start would do, decided and checked, with nothing uploaded, changed or started yet."""

    files: PipelineFiles
    clients: Clients
    pipeline: PipelineVersion
    change: Change
    #: What would be deployed, or is.
    definition: Definition
    data: DataFolder | None
    parameters: dict[str, str]
    #: ARN of an execution under way that was given the same.
    running: str | None
    #: ARN of the execution that was started last; None before the first.
    newest: str | None

    def make_request_token(self, version: int | None) -> str:
        """The same for all starts of the same that saw the same executions: whichever comes first starts it."""
        content = json.dumps([self.pipeline.name, version, self.parameters, self.newest], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def platform(self) -> Platform:
        """Where it would run."""
        return self.files.platform

    def find_running_execution(self) -> str | None:
        """The ARN of an execution under way that was given the same, as it is now. Raises UserError."""
        with aws.translate_aws_errors(f"executions of {self.pipeline.name}"):
            pipeline = find_pipeline(self.files.spec, self.platform, self.clients.sagemaker)
            return (
                pipeline.find_running_execution(self.parameters, self.clients.sagemaker) if pipeline.version else None
            )


def read_files(path: Path) -> PipelineFiles:
    """The pipeline file at `path` and what it names. Raises UserError, also where the definition is of other code."""
    spec = load_spec_file(path, PipelineSpec)
    definition = _definition(path.parent / spec.definition)
    jobs = dict(_jobs(spec, definition, path.parent))
    packages = [package for _, job in jobs.values() if (package := pack_source(job, path.parent)) is not None]
    with aws.translate_aws_errors("AWS"):
        platform = find_platform(spec.platform)
    layout = Layout(platform.buckets, spec.name)
    files = PipelineFiles(path, spec, definition, jobs, platform, {layout.source(one.digest): one for one in packages})
    _check_current(files)
    _check_gate(files)
    return files


def prepare(
    path: Path, *, data: Path | None = None, prefix: str | None = None, overrides: Mapping[str, str] | None = None
) -> PipelineLaunch:
    """Read the pipeline file at `path`, look at what is in S3 and SageMaker, and decide. Changes nothing.

    `data` is a folder to upload, `prefix` a data set that is there; `given` are parameters. Raises UserError.
    """
    files = read_files(path)
    spec, platform = files.spec, files.platform
    folder = read_data_folder(data, spec.raw) if data is not None else None
    with aws.translate_aws_errors("AWS"):
        clients = aws.connect_clients(platform.region)
        pipeline = find_pipeline(spec, platform, clients.sagemaker)
        change, definition = _change(pipeline, files)
        wanted = {name: format_scalar(value) for name, value in spec.parameters.items()}
        if folder is not None or prefix is not None:
            wanted[INPUT_KEY] = folder.key if folder is not None else _prefix(prefix or "")
        wanted |= overrides or {}
        if spec.gate is not None and spec.gate.parameter not in wanted:
            wanted |= registry.find_approved_metric(spec.gate, definition, clients.sagemaker)
        parameters.check_parameters(definition, wanted)
        if folder is None and (key := wanted.get(INPUT_KEY)):
            stored = _stored(key, platform, clients.s3)
            _check_unchanged(key, stored, pipeline, clients.sagemaker)
        # In this order: an execution that begins in between is found running.
        newest = pipeline.find_newest_execution(clients.sagemaker)
        running = None if change != "none" else pipeline.find_running_execution(wanted, clients.sagemaker)
    return PipelineLaunch(files, clients, pipeline, change, definition, folder, wanted, running, newest)


def start_execution(start: PipelineLaunch) -> PipelineRecord:
    """Upload what is missing, deploy the definition where that is to be done, and start. Raises UserError."""
    clients, pipeline = start.clients, start.pipeline
    if start.running is not None:
        return _record(start, pipeline, start.running)
    start.files.upload(clients.s3)
    if start.data is not None:
        with aws.translate_aws_errors(f"uploading the data to s3://{start.platform.buckets.data}/{start.data.key}"):
            start.data.upload(start.platform.buckets.data, clients.s3)
    if start.change != "none":
        pipeline = pipeline.deploy(parameters.serialize_definition(start.definition), start.platform, clients.sagemaker)
    with aws.translate_aws_errors("StartPipelineExecution"):
        answer = clients.sagemaker.start_pipeline_execution(
            PipelineName=pipeline.name,
            PipelineParameters=[{"Name": name, "Value": value} for name, value in sorted(start.parameters.items())],
            # Where an answer is lost, or somebody else starts the same at this moment, nothing is started twice.
            ClientRequestToken=start.make_request_token(pipeline.version),
            **pipeline.version_argument,
        )
    return _record(start, pipeline, answer["PipelineExecutionArn"])


def read_utilization_floors(path: Path) -> dict[str, UtilizationFloor]:
    """What the job files that the pipeline file at `path` names call too little, by step. Raises UserError."""
    spec = load_spec_file(path, PipelineSpec)
    jobs = _jobs(spec, _definition(path.parent / spec.definition), path.parent)
    return {name: job.floor for name, (_, job) in jobs if job.floor is not None}


def _record(start: PipelineLaunch, pipeline: PipelineVersion, arn: str) -> PipelineRecord:
    return PipelineRecord(
        workload=start.files.spec.name,
        environment=start.platform.environment,
        region=start.platform.region,
        pipeline=pipeline.name,
        pipeline_version=pipeline.version,
        execution_arn=arn,
        status="Executing",
        launched_at=datetime.now(UTC),
        parameters=start.parameters,
    )


def _definition(path: Path) -> Definition:
    try:
        document: Definition = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; the pipeline's builder writes it") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Steps"), list):
        raise UserError(f"{path}: is no definition of a pipeline; the pipeline's builder writes it")
    document.setdefault("Parameters", [])
    return document


def _jobs(spec: PipelineSpec, definition: Definition, folder: Path) -> Iterator[tuple[str, Job]]:
    """The job file of each step, read as the kind that the definition says."""
    types = {step["Name"]: step["Type"] for step in definition["Steps"]}
    for key, file in spec.steps.items():
        name = make_step_name(key)
        if types.get(name) not in KIND_OF_STEP:
            raise UserError(
                f"steps.{key}: {spec.definition} has no step {name} that runs a job; {_again(spec, folder)}"
            )
        kind = KINDS[KIND_OF_STEP[types[name]]]
        loaded = kind.load(folder / file)
        kind.check(loaded)
        yield name, (kind, loaded)


def check_deployed(files: PipelineFiles, sagemaker: Client) -> None:
    """Raise UserError unless the newest version of the pipeline is of the definition here, where there is one."""
    name, own = find_pipeline_name(files.spec, files.platform)
    deployed = read_newest_definition(name, sagemaker)
    if deployed is not None and deployed["Steps"] != files.definition["Steps"]:
        how = "smlops pipeline run" if own else "terraform apply"
        raise UserError(
            f"{files.path}: the newest version of {name} is of another definition; deploy this one first ({how}), or "
            "name the version that is meant with --version"
        )


def _check_current(files: PipelineFiles) -> None:
    """A definition names the code of its steps by digests."""
    text = json.dumps(files.definition)
    for address, package in files.sources.items():
        if S3Uri.parse(address).key not in text:
            raise UserError(
                f"{files.path.parent / files.spec.definition}: is not of the code beside it ({package.files[0]} and "
                f"others); {_again(files.spec, files.path.parent)}"
            )


def _check_gate(files: PipelineFiles) -> None:
    """Raise UserError if the definition lacks the gate's parameter."""
    gate, names = files.spec.gate, [parameter["Name"] for parameter in files.definition["Parameters"]]
    if gate is not None and gate.parameter not in names:
        raise UserError(
            f"{files.path}: gate.parameter: {files.spec.definition} has no parameter "
            f"{gate.parameter}{did_you_mean(gate.parameter, names)}"
        )


def _again(spec: PipelineSpec, folder: Path) -> str:
    return f"write it again: python {folder / spec.builder}"


def _change(pipeline: PipelineVersion, files: PipelineFiles) -> tuple[Change, Definition]:
    """What is to be done before a start, and the definition that is deployed then."""
    if not pipeline.is_own:
        if pipeline.definition["Steps"] != files.definition["Steps"]:
            raise UserError(
                f"{files.path}: the environment deploys another definition as {pipeline.name} (version "
                f"{pipeline.version}); deploy this one first: terraform apply, then smlops pipeline promote"
            )
        return "none", pipeline.definition
    filled = parameters.fill_platform_defaults(files.definition, files.platform, files.jobs)
    if pipeline.version is None:
        return "create", filled
    return ("none" if pipeline.definition == filled else "update"), filled


def _prefix(text: str) -> str:
    if text.startswith("/") or not text.endswith("/"):
        raise UserError(
            f"--input: {text} must be a prefix in the data bucket with a slash at its end, such as raw/x/1/"
        )
    return text


def _stored(prefix: str, platform: Platform, s3: Client) -> datetime:
    """When the data set below the prefix was last changed; the empty object that closes it is none of it."""
    bucket = platform.buckets.data
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    times = [one["LastModified"] for page in pages for one in page.get("Contents", []) if not one["Key"].endswith("/")]
    if not times:
        raise UserError(f"--input: nothing is stored under s3://{bucket}/{prefix}; upload it with --data FOLDER")
    latest: datetime = max(times)
    return latest


def _check_unchanged(prefix: str, changed: datetime, pipeline: PipelineVersion, sagemaker: Client) -> None:
    """SageMaker's cache compares addresses: the results of what was there before would stand for what is there now."""
    earlier = pipeline.find_execution_by_parameter(INPUT_KEY, prefix, sagemaker, before=changed)
    if earlier is not None:
        raise UserError(
            f"--input: what is under {prefix} has changed since execution {earlier.rpartition('/')[2]} read it, whose "
            "results would be taken over; put it below another prefix, or give it as a folder with --data, which does"
        )
