"""Launch of a job: `prepare` reads and decides, `start` uploads and launches, `store` writes the record."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sustainable_mlops import aws
from sustainable_mlops.aws import AwsError, Client, Clients
from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.kinds import JobKind
from sustainable_mlops.jobs.kinds.kind import Prerequisite
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.platform import Platform, read_platform
from sustainable_mlops.jobs.probe import make_probe
from sustainable_mlops.jobs.record import DataSet, RunRecord, parse_record
from sustainable_mlops.jobs.run import Run, Spec
from sustainable_mlops.jobs.source import NETWORK_FILES, SourcePackage, pack_source_folder
from sustainable_mlops.jobs.specs.common import Launchable, UtilizationFloor

#: start: from the beginning. resume: from checkpoints or results. attach: the job runs. done: the run has succeeded.
Decision = Literal["start", "resume", "attach", "done"]


@dataclass(frozen=True)
class JobLaunch:
    """A decided and checked launch, before anything is uploaded or started."""

    kind: JobKind[Any]
    decision: Decision
    record: RunRecord
    request: dict[str, Any]
    #: The packed source; None for a job without source.
    package: SourcePackage | None
    platform: Platform
    layout: Layout
    clients: Clients
    #: The last record of the same run, and the entity tag of its object; None if there is none.
    previous: RunRecord | None
    stored_tag: str | None
    #: Utilization below which the launcher that follows the job stops it.
    floor: UtilizationFloor | None = None
    #: Resources that must exist before the job starts.
    prerequisites: tuple[Prerequisite, ...] = ()

    def refresh_record(self) -> RunRecord | None:
        """Return the record with the current state of the job; None if the job does not exist. Raises UserError."""
        with aws.translate_aws_errors(f"{self.kind.title} {self.record.job_name}"):
            return _refresh_record(self.kind, self.record, self.clients.sagemaker)

    def add_expected_figures(self, expected: dict[str, RunFigure]) -> "JobLaunch":
        """Return the launch with the expected figures in its record; unchanged if it starts no job."""
        if not self.starts_job:
            return self
        return replace(self, record=self.record.model_copy(update={"expected": expected}))

    @property
    def is_local(self) -> bool:
        """True if the job runs on this computer, in the sandbox."""
        return aws.is_local(self.clients.s3)

    @property
    def starts_job(self) -> bool:
        """True if a job is started; False if the same run is done or running."""
        return self.decision in ("start", "resume")

    @property
    def uploads_source(self) -> bool:
        """True if the source must be uploaded to S3."""
        source = self.record.source
        return self.starts_job and source is not None and not aws.has_object(self.clients.s3, source)


def prepare(
    kind: JobKind[Spec], path: Path, *, force: bool = False, probe: bool = False, now: datetime | None = None
) -> JobLaunch:
    """Read the job file at `path`, inspect S3 and SageMaker, and decide. Changes nothing.

    `force` starts the run from the beginning even if it is done or running. `probe` prepares a short run of the job
    instead. Raises UserError.
    """
    spec = kind.load(path)
    with _name_file_in_errors(path), aws.translate_aws_errors("AWS"):
        kind.check(spec)  # checks without AWS come first
        if probe:
            return _prepare_spec(*kind.find_probed_job(spec), path.parent, force=force, probe=True, now=now)
        return _prepare_spec(kind, spec, path.parent, force=force, probe=False, now=now)


def _prepare_spec(
    kind: JobKind[Any], spec: Any, folder: Path, *, force: bool, probe: bool, now: datetime | None
) -> JobLaunch:
    """Inspect S3 and SageMaker for a job, and decide. `folder` has the job file."""
    package = pack_source(spec, folder)
    platform = find_platform(spec.platform)
    image = kind.find_image(spec, platform)
    clients = aws.connect_clients(platform.region)
    if probe:
        spec = make_probe(kind, spec, platform, clients.s3)
    run = kind.build_run(spec, platform, image, package.digest if package else None, clients)
    previous, stored_tag, claimed_name = _find_record(kind, run, clients)
    now = now or datetime.now(UTC)
    reused_record = None if force else previous  # a forced run has addresses of its own
    attempt = f"{now:%Y%m%d-%H%M%S}" if force else ""
    checkpoints = _choose_checkpoints(run, reused_record, attempt)
    outputs = (reused_record and reused_record.outputs) or kind.list_outputs(run, attempt)
    # Reuse a claimed name: if the launch that claimed it still runs, it cannot start a second job.
    name = claimed_name if claimed_name and not force else kind.make_job_name(spec.name, run.key, now)
    request, prerequisites = kind.build_named_request(run, name, checkpoints, outputs), kind.list_prerequisites(run)
    has_checkpoints = checkpoints is not None and _has_all_objects([checkpoints], clients.s3)
    resumed_request = None if force else kind.resume_request(request, previous, checkpoints=has_checkpoints)
    decision = _choose_decision(previous, clients.s3, force=force, can_resume=resumed_request is not None)
    derived_fields = kind.derive_fields(run)
    if previous is not None and decision in ("attach", "done"):
        record = previous.model_copy(update=derived_fields)
    else:
        record = _make_record(
            kind,
            run,
            resumed_request or request,
            job_name=name,
            launched_at=now,
            resumed=decision == "resume",
            checkpoints=checkpoints,
            outputs=outputs,
            sagemaker_model=next((prerequisite.name for prerequisite in prerequisites), None),
            stops_after=kind.get_runtime_limit_seconds(spec),
            **derived_fields,
        )
    return JobLaunch(
        kind,
        decision,
        record,
        resumed_request or request,
        package,
        platform,
        run.layout,
        clients,
        previous,
        stored_tag,
        spec.floor,
        prerequisites,
    )


def start(launch: JobLaunch) -> RunRecord:
    """Launch the prepared job unless it runs or is done; return the run's record. Raises UserError."""
    s3, record = launch.clients.s3, launch.record
    if not launch.starts_job:
        return record
    if launch.package is not None and record.source is not None:
        with aws.translate_aws_errors(f"uploading the source to {record.source}"):
            if launch.uploads_source:
                bucket, key = S3Uri.parse(record.source)
                s3.put_object(Bucket=bucket, Key=key, Body=launch.package.archive, ContentType="application/gzip")
    _claim_run(launch)
    try:
        for resource in launch.prerequisites:
            resource.create(launch.clients.sagemaker)
        arn = launch.kind.create(launch.request, launch.clients.sagemaker)
    except AwsError as error:
        if error.refused:  # otherwise keep the claim: the next launch finds the job, or reuses its name
            failed = record.model_copy(update={"status": "Failed", "failure_reason": str(error)})
            with suppress(UserError), aws.translate_aws_errors("writing the record"):
                _write_record(launch.previous or failed, launch)  # keep the earlier result of the run
        raise
    return record.model_copy(update={"job_arn": arn})


def store(record: RunRecord, launch: JobLaunch) -> None:
    """Write the run's record to S3, unless a later launch of the run has written its own. Raises UserError."""
    address = launch.layout.locate_record(record.run_key)
    with aws.translate_aws_errors(f"writing {address}"):
        stored_record, _ = _read_stored_record(address, launch.clients.s3)
        if (
            stored_record is None or stored_record.launched_at <= record.launched_at
        ):  # otherwise the record of the later job would be lost
            _write_record(record, launch)


def _write_record(record: RunRecord, launch: JobLaunch, **condition: str) -> None:
    bucket, key = S3Uri.parse(launch.layout.locate_record(record.run_key))
    launch.clients.s3.put_object(
        Bucket=bucket, Key=key, Body=record.to_json(), ContentType="application/json", **condition
    )


def _claim_run(launch: JobLaunch) -> None:
    """Write the record of a job before its launch. Raises UserError if another launch of the run was faster."""
    from botocore.exceptions import ClientError

    address = launch.layout.locate_record(launch.record.run_key)
    unchanged = {"IfMatch": launch.stored_tag} if launch.stored_tag else {"IfNoneMatch": "*"}
    with aws.translate_aws_errors(f"writing {address}"):
        try:
            _write_record(launch.record, launch, **unchanged)
        except ClientError as error:
            if aws.read_error_code(error) not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            if _is_own_claim(address, launch):
                return
            raise UserError(
                "another launch of the same run has just started; run the same command again to follow it"
            ) from None


def _is_own_claim(address: str, launch: JobLaunch) -> bool:
    """Return whether the stored record is this claim: the response to the write was lost."""
    bucket, key = S3Uri.parse(address)
    stored_bytes: bytes = launch.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return stored_bytes == launch.record.to_json().encode()


@contextmanager
def _name_file_in_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        raise AwsError(f"{path}: {error}", *error.remedy, refused=error.refused) from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def pack_source(spec: Launchable, folder: Path) -> SourcePackage | None:
    """Return the packed code of a job whose file is in `folder`; None for a job without code. Raises UserError."""
    source = spec.code
    if source is None:
        return None
    package = pack_source_folder(source, folder / source.directory)
    network_files = [name for name in NETWORK_FILES if name in package.files]
    if spec.network.isolation and network_files:
        raise UserError(
            f"network.isolation: the container cannot reach the internet to install {network_files[0]}; remove the "
            "file from source.include, or set network.isolation: false"
        )
    return package


def find_platform(reference: str | Platform) -> Platform:
    """Return the platform that a file names or contains. Raises UserError."""
    if not isinstance(reference, str):
        return reference
    arn = Arn.parse_or_none(reference)
    return read_platform(reference, aws.make_client("ssm", arn and arn.region))


def _find_record(
    kind: JobKind[Spec], run: Run[Spec], clients: Clients
) -> tuple[RunRecord | None, str | None, str | None]:
    """Return the run's record with the current state of its job, the stored entity tag, and the claimed job name.

    The name is None unless the launch that claimed it failed before the job existed.
    """
    record, tag = _read_stored_record(run.layout.locate_record(run.key), clients.s3)
    if record is None or record.is_ended:
        return record, tag, None
    current_record = _refresh_record(kind, record, clients.sagemaker)
    if current_record is not None:
        return current_record, tag, None
    lost_record = record.model_copy(update={"status": "Failed", "failure_reason": "the job no longer exists"})
    return lost_record, tag, record.job_name if record.job_arn is None else None


def _read_stored_record(address: str, s3: Client) -> tuple[RunRecord | None, str | None]:
    """Return the stored record and its entity tag; None if nothing is stored."""
    from botocore.exceptions import ClientError

    bucket, key = S3Uri.parse(address)
    try:
        response = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if aws.read_error_code(error) == "NoSuchBucket":
            raise UserError(
                f"platform: the bucket {bucket} of the environment does not exist; apply the environment first"
            ) from None
        if aws.read_error_code(error) != "NoSuchKey":
            raise
        return None, None
    return parse_record(response["Body"].read(), address), response["ETag"]


def _refresh_record(kind: JobKind[Any], record: RunRecord, sagemaker: Client) -> RunRecord | None:
    """Return the record with the current state of the job; None if the job does not exist."""
    from botocore.exceptions import ClientError

    try:
        return kind.refresh(record, sagemaker)
    except ClientError as error:
        # The API reference documents ResourceNotFound. The service responds with ValidationException: "Requested
        # resource not found." or "Could not find requested job with name: …".
        missing = ("not found", "could not find")
        if aws.read_error_code(error) != "ResourceNotFound" and not any(
            words in str(error).lower() for words in missing
        ):
            raise
        return None


def _choose_checkpoints(run: Run[Any], reused_record: RunRecord | None, attempt: str) -> str | None:
    if not run.spec.is_resumable:
        return None
    if reused_record is not None and reused_record.checkpoints:
        return reused_record.checkpoints  # of a forced run, if that was the last run
    return run.layout.locate_checkpoints(run.key, attempt)


def _choose_decision(previous: RunRecord | None, s3: Client, *, force: bool, can_resume: bool) -> Decision:
    if force:
        return "start"
    if previous is not None and not previous.is_ended:
        return "attach"
    if previous is not None and previous.status == "Completed" and _has_all_objects(previous.results, s3):
        return "done"
    return "resume" if can_resume else "start"


def _has_all_objects(addresses: list[str], s3: Client) -> bool:
    """Return whether every address has an object at or under it; False without addresses."""
    responses = [
        s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1) for bucket, key in map(S3Uri.parse, addresses)
    ]
    return bool(responses) and all(response.get("Contents") for response in responses)


def _make_record(kind: JobKind[Spec], run: Run[Spec], request: dict[str, Any], **fields: Any) -> RunRecord:
    spec, platform, job_instances, sharded_channels = (
        run.spec,
        run.platform,
        kind.read_instances(request),
        kind.list_sharded_channels(run.spec),
    )
    data = {
        channel.name: DataSet(
            address=channel.address,
            objects=channel.objects,
            size_bytes=channel.size_bytes,
            digest=channel.digest,
            is_sharded=channel.name in sharded_channels,
        )
        for channel in run.channels
    }
    return RunRecord(
        kind=kind.name,
        run_key=run.key,
        workload=spec.workload,
        environment=platform.environment,
        region=platform.region,
        status="InProgress",
        spot=bool(job_instances.spot),
        image=run.image,
        instance_type=job_instances.instance_type,
        instance_count=job_instances.count,
        source=run.source,
        source_digest=run.source_digest,
        data=data,
        hyperparameters=dict(spec.parameters),
        tags=run.tags,
        **fields,
    )
