"""From a job file to a launched job: `prepare` reads and decides, `start` uploads and launches, `store` records."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sustainable_mlops import aws
from sustainable_mlops.aws import AwsError, Client, Clients
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.kinds import Kind
from sustainable_mlops.jobs.kinds.kind import Needed
from sustainable_mlops.jobs.layout import Layout
from sustainable_mlops.jobs.platform import Platform, read_platform
from sustainable_mlops.jobs.record import DataSet, RunRecord, read_record
from sustainable_mlops.jobs.run import Run, Spec
from sustainable_mlops.jobs.source import NEEDS_NETWORK, Package, pack
from sustainable_mlops.jobs.specs.common import Launchable, UtilizationFloor

#: start: from nothing. resume: from what there is. attach: such a job is running. done: it has ended well.
Decision = Literal["start", "resume", "attach", "done"]


@dataclass(frozen=True)
class Launch:
    """What a launch would do, decided and checked, with nothing uploaded or launched yet."""

    kind: Kind[Any]
    decision: Decision
    record: RunRecord
    request: dict[str, Any]
    #: The packed source; None for a job that sends none.
    package: Package | None
    platform: Platform
    layout: Layout
    clients: Clients
    #: The last record of the same run, and the entity tag of what is stored; None where there is none.
    previous: RunRecord | None
    stored: str | None
    #: The utilisation below which whoever follows the job is to stop it.
    floor: UtilizationFloor | None = None
    #: What is to be there before the job.
    needed: tuple[Needed, ...] = ()

    def job(self) -> RunRecord | None:
        """The record with what SageMaker says of the job now; None where there is no such job. Raises UserError."""
        with aws.translate_aws_errors(f"{self.kind.title} {self.record.job_name}"):
            return _current(self.kind, self.record, self.clients.sagemaker)

    def expecting(self, expected: dict[str, Figure]) -> "Launch":
        """The same, its record telling what is expected of the job that would be started."""
        if not self.launches:
            return self
        return replace(self, record=self.record.model_copy(update={"expected": expected}))

    @property
    def launches(self) -> bool:
        """Whether a job is started: none where the same run is done or running."""
        return self.decision in ("start", "resume")

    @property
    def uploads_source(self) -> bool:
        """Whether the source is to be put into S3."""
        source = self.record.source
        return self.launches and source is not None and not aws.exists(self.clients.s3, source)


def prepare(kind: Kind[Spec], path: Path, *, force: bool = False, now: datetime | None = None) -> Launch:
    """Read the job file at `path`, look at what is in S3 and SageMaker, and decide. Changes nothing.

    `force` runs it even if the same run is done or running, from nothing. Raises UserError.
    """
    spec = kind.load(path)
    with _mistakes_in(path), aws.translate_aws_errors("AWS"):
        kind.check(spec)  # all that needs no account comes before what does
        package = pack_source(spec, path.parent)
        platform = find_platform(spec.platform)
        image = kind.image(spec, platform)
        clients = aws.connect(platform.region)
        run = kind.gather(spec, platform, image, package.digest if package else None, clients)
        previous, stored, claimed = _stored_record(kind, run, clients)
        now = now or datetime.now(UTC)
        kept = None if force else previous  # what a forced run left is kept apart from what was there before
        attempt = f"{now:%Y%m%d-%H%M%S}" if force else ""
        checkpoints = _checkpoints(run, kept, attempt)
        outputs = (kept and kept.outputs) or kind.outputs(run, attempt)
        # Under the name that was claimed, the launch that claimed it starts no second job should it live after all.
        name = claimed if claimed and not force else kind.job_name(spec.name, run.key, now)
        request, needed = kind.build(run, name, checkpoints, outputs), kind.needs(run)
        there = checkpoints is not None and _all_there([checkpoints], clients.s3)
        resumed = None if force else kind.resumed(request, previous, checkpoints=there)
        decision = _decide(previous, clients.s3, force=force, resumes=resumed is not None)
        promised = kind.promised(run)
        if previous is not None and decision in ("attach", "done"):
            record = previous.model_copy(update=promised)
        else:
            record = _new_record(
                kind,
                run,
                resumed or request,
                job_name=name,
                launched_at=now,
                resumed=decision == "resume",
                checkpoints=checkpoints,
                outputs=outputs,
                asks=next((one.name for one in needed), None),
                stops_after=kind.stops_after(spec),
                **promised,
            )
    return Launch(
        kind,
        decision,
        record,
        resumed or request,
        package,
        platform,
        run.layout,
        clients,
        previous,
        stored,
        spec.floor,
        needed,
    )


def start(launch: Launch) -> RunRecord:
    """Launch what was prepared, unless it runs or is done already; returns the run's record. Raises UserError."""
    s3, record = launch.clients.s3, launch.record
    if not launch.launches:
        return record
    if launch.package is not None and record.source is not None:
        with aws.translate_aws_errors(f"uploading the source to {record.source}"):
            if launch.uploads_source:
                bucket, key = S3Uri.parse(record.source)
                s3.put_object(Bucket=bucket, Key=key, Body=launch.package.archive, ContentType="application/gzip")
    _claim(launch)
    try:
        for resource in launch.needed:
            resource.make(launch.clients.sagemaker)
        arn = launch.kind.create(launch.request, launch.clients.sagemaker)
    except AwsError as error:
        if error.refused:  # else the claim stands, and whoever launches next finds the job, or takes up its name
            failed = record.model_copy(update={"status": "Failed", "failure_reason": str(error)})
            with suppress(UserError), aws.translate_aws_errors("writing the record"):
                _put(launch.previous or failed, launch)  # what a run has come to is not lost to an attempt
        raise
    return record.model_copy(update={"job_arn": arn})


def store(record: RunRecord, launch: Launch) -> None:
    """Write the run's record to S3, unless a later launch of the run has written its own. Raises UserError."""
    address = launch.layout.record(record.run_key)
    with aws.translate_aws_errors(f"writing {address}"):
        kept, _ = _kept(address, launch.clients.s3)
        if kept is None or kept.launched_at <= record.launched_at:  # else nobody would find the later job
            _put(record, launch)


def _put(record: RunRecord, launch: Launch, **condition: str) -> None:
    bucket, key = S3Uri.parse(launch.layout.record(record.run_key))
    launch.clients.s3.put_object(
        Bucket=bucket, Key=key, Body=record.to_json(), ContentType="application/json", **condition
    )


def _claim(launch: Launch) -> None:
    """Write the record of a job about to be launched, unless someone else has launched the same run meanwhile."""
    from botocore.exceptions import ClientError

    address = launch.layout.record(launch.record.run_key)
    unchanged = {"IfMatch": launch.stored} if launch.stored else {"IfNoneMatch": "*"}
    with aws.translate_aws_errors(f"writing {address}"):
        try:
            _put(launch.record, launch, **unchanged)
        except ClientError as error:
            if aws.error_code(error) not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            if _is_ours(address, launch):
                return
            raise UserError(
                "another launch of the same run has begun just now; run the same command again to follow it"
            ) from None


def _is_ours(address: str, launch: Launch) -> bool:
    """Whether it was this claim that was written, the answer to which was lost."""
    bucket, key = S3Uri.parse(address)
    written: bytes = launch.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return written == launch.record.to_json().encode()


@contextmanager
def _mistakes_in(path: Path) -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        raise AwsError(f"{path}: {error}", *error.remedy, refused=error.refused) from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def pack_source(spec: Launchable, folder: Path) -> Package | None:
    """The code of a job whose file is in `folder`; None for a job without. Raises UserError."""
    source = spec.code
    if source is None:
        return None
    package = pack(source, folder / source.directory)
    needing = [name for name in NEEDS_NETWORK if name in package.files]
    if spec.network.isolation and needing:
        raise UserError(
            f"network.isolation: the container would install {needing[0]} from the internet, which it cannot reach; "
            "leave the file out of source.include, or set network.isolation: false"
        )
    return package


def find_platform(given: str | Platform) -> Platform:
    """The platform that a file names or holds. Raises UserError."""
    if not isinstance(given, str):
        return given
    region = given.split(":")[3] if given.startswith("arn:") else None
    return read_platform(given, aws.client("ssm", region))


def _stored_record(
    kind: Kind[Spec], run: Run[Spec], clients: Clients
) -> tuple[RunRecord | None, str | None, str | None]:
    """The run's record as its job is now, the entity tag of what is stored, and the name that was claimed for a job.

    No name, unless the launch that claimed it broke off before there was the job.
    """
    record, tag = _kept(run.layout.record(run.key), clients.s3)
    if record is None or record.ended:
        return record, tag, None
    now = _current(kind, record, clients.sagemaker)
    if now is not None:
        return now, tag, None
    gone = record.model_copy(update={"status": "Failed", "failure_reason": "the job does not exist any more"})
    return gone, tag, record.job_name if record.job_arn is None else None


def _kept(address: str, s3: Client) -> tuple[RunRecord | None, str | None]:
    """The record as it is stored, and its entity tag; None where nothing is."""
    from botocore.exceptions import ClientError

    bucket, key = S3Uri.parse(address)
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if aws.error_code(error) == "NoSuchBucket":
            raise UserError(f"platform: there is no bucket {bucket}; apply the environment first") from None
        if aws.error_code(error) != "NoSuchKey":
            raise
        return None, None
    return read_record(answer["Body"].read(), address), answer["ETag"]


def _current(kind: Kind[Any], record: RunRecord, sagemaker: Client) -> RunRecord | None:
    """The record with what SageMaker says now; None where there is no such job."""
    from botocore.exceptions import ClientError

    try:
        return kind.current(record, sagemaker)
    except ClientError as error:
        # The API reference says ResourceNotFound; the service answers ValidationException, "Requested resource not
        # found." or "Could not find requested job with name: …".
        missing = ("not found", "could not find")
        if aws.error_code(error) != "ResourceNotFound" and not any(words in str(error).lower() for words in missing):
            raise
        return None


def _checkpoints(run: Run[Any], kept: RunRecord | None, attempt: str) -> str | None:
    if not run.spec.resumable:
        return None
    if kept is not None and kept.checkpoints:
        return kept.checkpoints  # those of a forced run, if that was the last
    return run.layout.checkpoints(run.key, attempt)


def _decide(previous: RunRecord | None, s3: Client, *, force: bool, resumes: bool) -> Decision:
    if force:
        return "start"
    if previous is not None and not previous.ended:
        return "attach"
    if previous is not None and previous.status == "Completed" and _all_there(previous.results, s3):
        return "done"
    return "resume" if resumes else "start"


def _all_there(addresses: list[str], s3: Client) -> bool:
    """Whether there is something at or under each of the addresses, and at least one address."""
    listed = [s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1) for bucket, key in map(S3Uri.parse, addresses)]
    return bool(listed) and all(answer.get("Contents") for answer in listed)


def _new_record(kind: Kind[Spec], run: Run[Spec], request: dict[str, Any], **more: Any) -> RunRecord:
    spec, platform, machines, dealt_out = run.spec, run.platform, kind.machines(request), kind.dealt_out(run.spec)
    data = {
        channel.name: DataSet(
            address=channel.address,
            objects=channel.objects,
            size_bytes=channel.size_bytes,
            digest=channel.digest,
            dealt_out=channel.name in dealt_out,
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
        spot=bool(machines.spot),
        image=run.image,
        instance_type=machines.instance_type,
        instance_count=machines.count,
        source=run.source,
        source_digest=run.source_digest,
        data=data,
        hyperparameters=dict(spec.parameters),
        tags=run.tags,
        **more,
    )
