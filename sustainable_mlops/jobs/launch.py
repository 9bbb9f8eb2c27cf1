"""From a job file to a launched job: `prepare` reads and decides, `start` uploads and launches, `finish` records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs import request
from sustainable_mlops.jobs.channels import find_channels
from sustainable_mlops.jobs.image import image_address
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.platform import Platform, read_platform
from sustainable_mlops.jobs.record import DataSet, RunRecord, ServingSpec, read_record
from sustainable_mlops.jobs.run import Run
from sustainable_mlops.jobs.source import NEEDS_NETWORK, Package, pack
from sustainable_mlops.jobs.spec import Job, load_job

#: start: from nothing. resume: from the checkpoints there are. attach: such a job is running. done: it was trained.
Decision = Literal["start", "resume", "attach", "done"]


@dataclass(frozen=True)
class Launch:
    """What a launch would do, decided and checked, with nothing uploaded or launched yet."""

    decision: Decision
    record: RunRecord
    request: dict[str, Any]
    package: Package
    layout: Layout
    clients: Clients
    #: The last record of the same run, and the entity tag of what is stored; None where there is none.
    previous: RunRecord | None
    stored: str | None

    @property
    def launches(self) -> bool:
        """Whether a job is started: none where the same run is done or running."""
        return self.decision in ("start", "resume")

    @property
    def uploads_source(self) -> bool:
        """Whether the source is to be put into S3."""
        return self.launches and not aws.exists(self.clients.s3, self.record.source)


def prepare(path: Path, *, force: bool = False, now: datetime | None = None) -> Launch:
    """Read the job file at `path`, look at what is in S3 and SageMaker, and decide. Changes nothing.

    `force` trains even if the same run is done or running, from nothing. Raises UserError.
    """
    job = load_job(path)
    with _mistakes_in(path), aws.told("AWS"):
        request.check(job)  # all that needs no account comes before what does
        package = pack(job.source, path.parent / job.source.directory)
        _check_network(job, package)
        platform = _platform(job)
        image = image_address(job.image, platform.region, job.compute.instance_type)
        clients = aws.connect(platform.region)
        run = Run(job, platform, image, package.digest, find_channels(job.data, platform.buckets.data, clients.s3))
        previous, stored = _stored_record(run, clients)
        now = now or datetime.now(UTC)
        checkpoints = _checkpoints(run, previous, f"{now:%Y%m%d-%H%M%S}" if force else "")
        name = request.job_name(job.name, run.key, now)
        create = request.build(run, name, checkpoints)
        decision = _decide(previous, checkpoints, clients.s3, force)
        serving = _serving(job, platform)
        if previous is not None and decision in ("attach", "done"):
            record = previous.model_copy(update={"serving": serving, "model_package_group": _group(job, platform)})
        else:
            record = _new_record(run, name, checkpoints, serving, now, resumed=decision == "resume")
    return Launch(decision, record, create, package, run.layout, clients, previous, stored)


def start(launch: Launch) -> RunRecord:
    """Launch what was prepared, unless it runs or is done already; returns the run's record. Raises UserError."""
    s3, record = launch.clients.s3, launch.record
    if not launch.launches:
        return record
    with aws.told(f"uploading the source to {record.source}"):
        if launch.uploads_source:
            bucket, key = S3Uri.parse(record.source)
            s3.put_object(Bucket=bucket, Key=key, Body=launch.package.archive, ContentType="application/gzip")
    _claim(launch)
    try:
        with aws.told("CreateTrainingJob"):
            answer = launch.clients.sagemaker.create_training_job(**launch.request)
    except UserError as error:
        store(record.model_copy(update={"status": "Failed", "failure_reason": str(error)}), launch)
        raise
    return record.model_copy(update={"job_arn": answer["TrainingJobArn"]})


def store(record: RunRecord, launch: Launch) -> None:
    """Write the run's record to S3. Raises UserError."""
    address = launch.layout.record(record.run_key)
    bucket, key = S3Uri.parse(address)
    with aws.told(f"writing {address}"):
        launch.clients.s3.put_object(Bucket=bucket, Key=key, Body=record.to_json(), ContentType="application/json")


def _claim(launch: Launch) -> None:
    """Write the record of a job about to be launched, unless someone else has launched the same run meanwhile."""
    from botocore.exceptions import ClientError

    address = launch.layout.record(launch.record.run_key)
    bucket, key = S3Uri.parse(address)
    unchanged = {"IfMatch": launch.stored} if launch.stored else {"IfNoneMatch": "*"}
    with aws.told(f"writing {address}"):
        try:
            launch.clients.s3.put_object(
                Bucket=bucket, Key=key, Body=launch.record.to_json(), ContentType="application/json", **unchanged
            )
        except ClientError as error:
            if aws.error_code(error) not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            raise UserError(
                "another launch of the same run has begun just now; run the same command again to follow it"
            ) from None


@contextmanager
def _mistakes_in(path: Path) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _check_network(job: Job, package: Package) -> None:
    needing = [name for name in NEEDS_NETWORK if name in package.files]
    if job.network.isolation and needing:
        raise UserError(
            f"network.isolation: the container would install {needing[0]} from the internet, which it cannot reach; "
            "leave the file out of source.include, or set network.isolation: false"
        )


def _platform(job: Job) -> Platform:
    if not isinstance(job.platform, str):
        return job.platform
    region = job.platform.split(":")[3] if job.platform.startswith("arn:") else None
    return read_platform(job.platform, aws.client("ssm", region))


def _stored_record(run: Run, clients: Clients) -> tuple[RunRecord | None, str | None]:
    """The run's record, as its job is now, and the entity tag of what is stored."""
    from botocore.exceptions import ClientError

    address = run.layout.record(run.key)
    bucket, key = S3Uri.parse(address)
    try:
        answer = clients.s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if aws.error_code(error) == "NoSuchBucket":
            raise UserError(f"platform: there is no bucket {bucket}; apply the environment first") from None
        if aws.error_code(error) != "NoSuchKey":
            raise
        return None, None
    record = read_record(answer["Body"].read(), address)
    return record if record.ended else _current(record, clients.sagemaker), answer["ETag"]


def _current(record: RunRecord, sagemaker: Client) -> RunRecord:
    from botocore.exceptions import ClientError

    try:
        return record.updated(sagemaker.describe_training_job(TrainingJobName=record.job_name))
    except ClientError as error:
        # The API reference says ResourceNotFound; the service answers ValidationException, "Requested resource not
        # found."
        if aws.error_code(error) != "ResourceNotFound" and "not found" not in str(error):
            raise
        return record.model_copy(update={"status": "Failed", "failure_reason": "the job does not exist any more"})


def _checkpoints(run: Run, previous: RunRecord | None, attempt: str) -> str | None:
    if run.job.checkpoints == "none":
        return None
    if previous is not None and previous.checkpoints and not attempt:
        return previous.checkpoints  # those of a forced training, if that was the last
    return run.layout.checkpoints(run.key, attempt)


def _decide(previous: RunRecord | None, checkpoints: str | None, s3: Client, force: bool) -> Decision:
    if force:
        return "start"
    if previous is not None and not previous.ended:
        return "attach"
    if previous is not None and previous.status == "Completed" and previous.model and aws.exists(s3, previous.model):
        return "done"
    if checkpoints is None:
        return "start"
    bucket, prefix = S3Uri.parse(checkpoints)
    return "resume" if s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents") else "start"


def _serving(job: Job, platform: Platform) -> ServingSpec | None:
    if job.serving is None:
        return None
    # Serverless endpoints have CPUs only, so the image is the one for the first CPU instance type named.
    image = image_address(job.image, platform.region, job.serving.realtime_instance_types[0], "inference")
    return ServingSpec(**job.serving.model_dump(), image=image)


def _group(job: Job, platform: Platform) -> str | None:
    """The workload's model package group. Terraform's keys have underscores."""
    return platform.model_package_groups.get(job.workload.replace("-", "_"))


def _new_record(
    run: Run, name: str, checkpoints: str | None, serving: ServingSpec | None, now: datetime, *, resumed: bool
) -> RunRecord:
    job, platform = run.job, run.platform
    data = {
        channel.name: DataSet(
            address=channel.address, objects=channel.objects, size_bytes=channel.size_bytes, digest=channel.digest
        )
        for channel in run.channels
    }
    return RunRecord(
        run_key=run.key,
        workload=job.workload,
        environment=platform.environment,
        region=platform.region,
        job_name=name,
        status="InProgress",
        launched_at=now,
        resumed=resumed,
        spot=job.compute.spot,
        image=run.image,
        instance_type=job.compute.instance_type,
        instance_count=job.compute.instance_count,
        source=run.source,
        source_digest=run.source_digest,
        data=data,
        hyperparameters=job.hyperparameters,
        checkpoints=checkpoints,
        serving=serving,
        model_package_group=_group(job, platform),
        tags=run.tags,
    )
