"""Launch of an execution from `pipeline.yaml`.

`prepare` reads and decides. `start_execution` uploads, updates the pipeline and starts the execution.
"""

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
from sustainable_mlops.base.errors import UserError, did_you_mean, suggest
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.launch import find_platform, pack_source
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.pipelines import parameters, registry
from sustainable_mlops.jobs.pipelines.data import DataFolder, read_data_folder
from sustainable_mlops.jobs.pipelines.names import KIND_OF_STEP, make_step_name
from sustainable_mlops.jobs.pipelines.network import add_network
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

#: none: the deployed version has this definition. create, update: the definition is deployed first.
Change = Literal["none", "create", "update"]


@dataclass(frozen=True)
class PipelineFiles:
    """A pipeline file with its definition, job files, packed sources and platform."""

    path: Path
    spec: PipelineSpec
    definition: Definition
    jobs: Mapping[str, Job]
    platform: Platform
    #: Address of a packed source to the source.
    sources: Mapping[str, SourcePackage]

    def upload(self, s3: Client) -> None:
        """Upload the missing sources. Raises UserError."""
        for address, package in self.sources.items():
            with aws.translate_aws_errors(f"uploading the source to {address}"):
                if not aws.has_object(s3, address):
                    bucket, key = S3Uri.parse(address)
                    s3.put_object(Bucket=bucket, Key=key, Body=package.archive, ContentType="application/gzip")


@dataclass(frozen=True)
class PipelineLaunch:
    """A decided and checked start, before anything is uploaded, changed or started."""

    files: PipelineFiles
    clients: Clients
    pipeline: PipelineVersion
    change: Change
    #: Definition that is deployed, or will be.
    definition: Definition
    data: DataFolder | None
    parameters: dict[str, str]
    #: ARN of a running execution with the same parameters.
    running_execution: str | None
    #: ARN of the execution that was started last; None before the first.
    newest_execution: str | None

    def make_request_token(self, version: int | None) -> str:
        """Return a token that is the same for the same start, so that SageMaker starts one execution only.

        Starts are the same if they have the same parameters and saw the same newest execution.
        """
        content = json.dumps([self.pipeline.name, version, self.parameters, self.newest_execution], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def platform(self) -> Platform:
        """Platform of the execution."""
        return self.files.platform

    def find_running_execution(self) -> str | None:
        """Return the ARN of a running execution with the same parameters, read now. Raises UserError."""
        with aws.translate_aws_errors(f"executions of {self.pipeline.name}"):
            pipeline = find_pipeline(self.files.spec, self.platform, self.clients.sagemaker)
            return (
                pipeline.find_running_execution(self.parameters, self.clients.sagemaker) if pipeline.version else None
            )


def read_files(path: Path) -> PipelineFiles:
    """Read the pipeline file at `path` and its files. Raises UserError, also if the definition has other code."""
    spec = load_spec_file(path, PipelineSpec)
    definition = _read_definition(path.parent / spec.definition)
    jobs = dict(_load_jobs(path, spec, definition))
    packages = [package for _, job in jobs.values() if (package := pack_source(job, path.parent)) is not None]
    with aws.translate_aws_errors("AWS"):
        platform = find_platform(spec.platform)
    layout = Layout(platform.buckets, spec.name)
    definition = add_network(definition, platform.vpc)
    files = PipelineFiles(
        path, spec, definition, jobs, platform, {layout.locate_source(package.digest): package for package in packages}
    )
    _check_current(files)
    _check_gate(files)
    return files


def prepare(
    path: Path, *, data: Path | None = None, prefix: str | None = None, overrides: Mapping[str, str] | None = None
) -> PipelineLaunch:
    """Read the pipeline file at `path`, inspect S3 and SageMaker, and decide. Changes nothing.

    `data` is a folder to upload; `prefix` is an existing data set; `overrides` are parameters. Raises UserError.
    """
    files = read_files(path)
    spec, platform = files.spec, files.platform
    folder = read_data_folder(data, spec.raw) if data is not None else None
    with aws.translate_aws_errors("AWS"):
        clients = aws.connect_clients(platform.region)
        pipeline = find_pipeline(spec, platform, clients.sagemaker)
        change, definition = _choose_change(pipeline, files)
        values = {name: format_scalar(value) for name, value in spec.parameters.items()}
        if folder is not None or prefix is not None:
            values[INPUT_KEY] = folder.key if folder is not None else _check_prefix(prefix or "")
        values |= overrides or {}
        if spec.gate is not None and spec.gate.parameter not in values:
            values |= registry.find_approved_metric(spec.gate, definition, clients.sagemaker)
        parameters.check_parameters(definition, values)
        if folder is None and (key := values.get(INPUT_KEY)):
            changed_at = _find_last_change(key, platform, clients.s3)
            _check_unchanged(key, changed_at, pipeline, clients.sagemaker)
        # Keep this order: an execution that starts in between is found as a running one.
        newest = pipeline.find_newest_execution(clients.sagemaker)
        running = None if change != "none" else pipeline.find_running_execution(values, clients.sagemaker)
    return PipelineLaunch(files, clients, pipeline, change, definition, folder, values, running, newest)


def start_execution(launch: PipelineLaunch) -> PipelineRecord:
    """Upload missing files, deploy the definition if it changed, and start the execution. Raises UserError."""
    clients, pipeline = launch.clients, launch.pipeline
    if launch.running_execution is not None:
        return _make_record(launch, pipeline, launch.running_execution)
    launch.files.upload(clients.s3)
    if launch.data is not None:
        with aws.translate_aws_errors(f"uploading the data to s3://{launch.platform.buckets.data}/{launch.data.key}"):
            launch.data.upload(launch.platform.buckets.data, clients.s3)
    if launch.change != "none":
        pipeline = pipeline.deploy(
            parameters.serialize_definition(launch.definition), launch.platform, clients.sagemaker
        )
    with aws.translate_aws_errors("StartPipelineExecution"):
        response = clients.sagemaker.start_pipeline_execution(
            PipelineName=pipeline.name,
            PipelineParameters=[{"Name": name, "Value": value} for name, value in sorted(launch.parameters.items())],
            # After a lost response, or with an equal start at the same time, nothing is started twice.
            ClientRequestToken=launch.make_request_token(pipeline.version),
            **pipeline.version_argument,
        )
    return _make_record(launch, pipeline, response["PipelineExecutionArn"])


def read_utilization_floors(path: Path) -> dict[str, UtilizationFloor]:
    """Return the utilization floor of each step whose job file has one. Raises UserError."""
    spec = load_spec_file(path, PipelineSpec)
    jobs = _load_jobs(path, spec, _read_definition(path.parent / spec.definition))
    return {name: job.floor for name, (_, job) in jobs if job.floor is not None}


def _make_record(launch: PipelineLaunch, pipeline: PipelineVersion, arn: str) -> PipelineRecord:
    return PipelineRecord(
        workload=launch.files.spec.name,
        environment=launch.platform.environment,
        region=launch.platform.region,
        pipeline=pipeline.name,
        pipeline_version=pipeline.version,
        execution_arn=arn,
        status="Executing",
        launched_at=datetime.now(UTC),
        parameters=launch.parameters,
    )


def _read_definition(path: Path) -> Definition:
    try:
        document: Definition = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path}: the file does not exist; write it with the pipeline's builder, or correct definition"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Steps"), list):
        raise UserError(f"{path}: is not a pipeline definition; write it with the pipeline's builder")
    document.setdefault("Parameters", [])
    return document


def _load_jobs(path: Path, spec: PipelineSpec, definition: Definition) -> Iterator[tuple[str, Job]]:
    """Yield the job file of each step, loaded as the kind of the step in the definition."""
    types = {step["Name"]: step["Type"] for step in definition["Steps"]}
    for key, file in spec.steps.items():
        name = make_step_name(key)
        if types.get(name) not in KIND_OF_STEP:
            raise UserError(
                f"{path}: steps.{key}: {spec.definition} has no step {name} that runs a job"
                f"{suggest(name, [step for step, kind in types.items() if kind in KIND_OF_STEP])}; "
                f"correct the key, or {_format_build_command(spec, path.parent)}"
            )
        kind = KINDS[KIND_OF_STEP[types[name]]]
        loaded = kind.load(path.parent / file)
        kind.check(loaded)
        yield name, (kind, loaded)


def check_deployed(files: PipelineFiles, sagemaker: Client) -> None:
    """Raise UserError if the newest version of an existing pipeline has another definition."""
    name, own = find_pipeline_name(files.spec, files.platform)
    deployed = read_newest_definition(name, sagemaker)
    if deployed is not None and deployed["Steps"] != files.definition["Steps"]:
        command = "smlops pipeline run" if own else "terraform apply"
        raise UserError(
            f"{files.path}: the newest version of {name} has another definition; deploy this one first ({command}), or "
            "pass a version with --version"
        )


def _check_current(files: PipelineFiles) -> None:
    """Raise UserError if the definition does not have the digests of the code."""
    text = json.dumps(files.definition)
    for address, package in files.sources.items():
        if S3Uri.parse(address).key not in text:
            raise UserError(
                f"{files.path.parent / files.spec.definition}: was written for other code: {package.files[0]} or "
                f"another file has changed; {_format_build_command(files.spec, files.path.parent)}"
            )


def _check_gate(files: PipelineFiles) -> None:
    """Raise UserError if the definition lacks the gate's parameter."""
    gate, names = files.spec.gate, [parameter["Name"] for parameter in files.definition["Parameters"]]
    if gate is not None and gate.parameter not in names:
        raise UserError(
            f"{files.path}: gate.parameter: {files.spec.definition} has no parameter "
            f"{gate.parameter}{did_you_mean(gate.parameter, names)}"
        )


def _format_build_command(spec: PipelineSpec, folder: Path) -> str:
    return f"write it with: python {folder / spec.builder}"


def _choose_change(pipeline: PipelineVersion, files: PipelineFiles) -> tuple[Change, Definition]:
    """Return the change before a start, and the definition that is deployed then."""
    if not pipeline.is_own:
        if pipeline.definition["Steps"] != files.definition["Steps"]:
            raise UserError(
                f"{files.path}: the environment deploys another definition as {pipeline.name} (version "
                f"{pipeline.version}); deploy this one first: terraform apply, then smlops pipeline promote"
            )
        return "none", pipeline.definition
    definition = parameters.fill_platform_defaults(files.definition, files.platform, files.jobs)
    if pipeline.version is None:
        return "create", definition
    return ("none" if pipeline.definition == definition else "update"), definition


def _check_prefix(text: str) -> str:
    if text.startswith("/") or not text.endswith("/"):
        raise UserError(f"--input: {text} must be a prefix in the data bucket and end with a slash, such as raw/x/1/")
    return text


def _find_last_change(prefix: str, platform: Platform, s3: Client) -> datetime:
    """Return the last change of the data set below the prefix, without the empty object that marks it complete."""
    bucket = platform.buckets.data
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    times = [
        item["LastModified"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")
    ]
    if not times:
        raise UserError(f"--input: no object under s3://{bucket}/{prefix}; upload the data set with --data FOLDER")
    latest: datetime = max(times)
    return latest


def _check_unchanged(prefix: str, changed_at: datetime, pipeline: PipelineVersion, sagemaker: Client) -> None:
    """Raise UserError if the data set changed after an execution read it.

    SageMaker's cache compares addresses only, so it would reuse results of the old data.
    """
    execution = pipeline.find_execution_by_parameter(INPUT_KEY, prefix, sagemaker, before=changed_at)
    if execution is not None:
        raise UserError(
            f"--input: the data under {prefix} has changed since execution {execution.rpartition('/')[2]} read it, and "
            "its old results would be reused; use another prefix, or pass a folder with --data, which chooses one"
        )
