"""Base class of the job kinds, so that launching, following, recording and estimating work for every kind."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients, constraints
from sustainable_mlops.aws.statuses import FINAL_JOB_STATUSES
from sustainable_mlops.jobs import footprint
from sustainable_mlops.jobs.channels import find_channels
from sustainable_mlops.jobs.figure import RunFigure
from sustainable_mlops.jobs.measurement.counters import CounterReadings
from sustainable_mlops.jobs.platform import Phase, Platform, Vpc
from sustainable_mlops.jobs.record import RunRecord
from sustainable_mlops.jobs.run import Run, Spec
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.common import NAME_SUFFIX

#: An address, a name or an ARN; in a pipeline definition also a reference, such as `{"Get": "Parameters.X"}`.
Value = Any


@dataclass(frozen=True)
class JobReferences:
    """Names, ARNs and addresses that a request contains. Building a request reads nothing from them."""

    role: Value
    image: Value
    kms_key: Value | None
    #: Address of the packed source; None for a job without source.
    source: Value | None
    channels: Mapping[str, Value]
    #: Prefix below which SageMaker creates a folder for the models of each job.
    models: Value
    checkpoints: Value | None
    #: Name of an output to its address, for kinds with named outputs.
    outputs: Mapping[str, Value] = field(default_factory=dict)
    #: Name of the resource that `JobKind.list_prerequisites` returns.
    prerequisite: Value | None = None
    #: Network of the platform. A pipeline definition has none: each environment adds its own.
    vpc: Vpc | None = None


@dataclass(frozen=True)
class Prerequisite:
    """A resource that must exist before the job, with the `Create<noun>` request except for its name.

    The name is derived from the content: a name never has another content, so the resource is created once.
    """

    noun: str
    name: str
    request: Mapping[str, Any]

    def create(self, sagemaker: Client) -> None:
        """Create the resource, unless it exists. Raises UserError."""
        from botocore.exceptions import ClientError

        with aws.translate_aws_errors(f"Create{self.noun}"):
            try:
                getattr(sagemaker, f"create_{_join_words(self.noun, '_')}")(
                    **{f"{self.noun}Name": self.name}, **self.request
                )
            except ClientError as error:
                if "already exist" not in str(error):
                    raise


@dataclass(frozen=True)
class JobInstances:
    """The instances of a job."""

    instance_type: str
    count: int
    #: Maximum runtime in seconds.
    cap: int
    volume_gb: float
    #: None if SageMaker has no managed spot for the kind.
    spot: bool | None
    #: Seconds that the instances may wait, billed, for another job.
    warm: int = 0
    #: For a tuning job: the maximum number of training jobs, whether it may end earlier, and whether it stops jobs.
    jobs: int = 1
    may_end_before: bool = False
    stops_jobs: bool = False


class JobKind(ABC, Generic[Spec]):
    """A job kind. The names of its operations and fields derive from `noun`: CreateTrainingJob, TrainingJobName."""

    #: Name in records, and in the name of the figure of its seconds.
    name: ClassVar[str]
    #: Name in SageMaker's API.
    noun: ClassVar[str]
    #: Prefix of the API's time fields: TrainingStartTime.
    time_prefix: ClassVar[str]
    #: Past participle for messages about a completed job.
    completed_verb: ClassVar[str]
    #: Phase whose role the job assumes.
    phase: ClassVar[Phase]
    #: Maximum length of a job's name.
    longest_name: ClassVar[int] = 63
    #: Field of the job file with the data, for messages.
    data_field: ClassVar[str] = "data"
    #: True if a completed job has a model.
    saves_model: ClassVar[bool] = False
    spec: type[Any]

    @property
    def title(self) -> str:
        """Name in messages."""
        return f"{self.name} job"

    def load(self, path: Path) -> Spec:
        """Load the job file at `path`. Raises UserError."""
        spec: Spec = load_spec_file(path, self.spec)
        return spec

    def find_probed_job(self, spec: Spec) -> "tuple[JobKind[Any], Any]":
        """Return the kind and the job file of the job that a probe shortens."""
        return self, spec

    @abstractmethod
    def check(self, spec: Spec) -> None:
        """Raise UserError for a spec that SageMaker would reject, as far as this is known without AWS."""

    @abstractmethod
    def find_image(self, spec: Spec, platform: Platform) -> str:
        """Return the address of the image. Raises UserError."""

    @abstractmethod
    def list_data(self, spec: Spec) -> Mapping[str, str]:
        """Return channel to data: a key or prefix in the platform's data bucket, or an s3:// address."""

    def list_sharded_channels(self, spec: Spec) -> frozenset[str]:  # noqa: ARG002
        """Return the channels whose objects are divided among the instances."""
        return frozenset()

    @abstractmethod
    def build_request(self, spec: Spec, references: JobReferences) -> dict[str, Any]:
        """Return the request to SageMaker without name and tags. A pipeline step has the same request."""

    @abstractmethod
    def read_instances(self, request: Mapping[str, Any]) -> JobInstances:
        """Return the instances of a request, or of a job's description."""

    def list_outputs(self, run: Run[Spec], attempt: str) -> dict[str, str]:  # noqa: ARG002
        """Return the name of each output to its address; `attempt` separates forced runs of the same key."""
        return {}

    def list_prerequisites(self, run: Run[Spec]) -> tuple[Prerequisite, ...]:  # noqa: ARG002
        """Return the resources that must exist before the job."""
        return ()

    def list_metric_patterns(self, request: Mapping[str, Any]) -> dict[str, str]:  # noqa: ARG002
        """Return the metrics of the job file with their patterns, from its request."""
        return {}

    def get_runtime_limit_seconds(self, spec: Spec) -> int | None:  # noqa: ARG002
        """Return the seconds after which the launcher stops the job; None if SageMaker enforces the limit."""
        return None

    def derive_fields(self, run: Run[Spec]) -> dict[str, Any]:  # noqa: ARG002
        """Return record fields that do not depend on a job; a done run gets new values. Raises UserError."""
        return {}

    def read_record_fields(self, description: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Return fields of a record that only this kind has, from a job's description."""
        return {}

    def build_run(
        self, spec: Spec, platform: Platform, image: str, source_digest: str | None, clients: Clients
    ) -> Run[Spec]:
        """Return the run, with its data inspected. Raises UserError."""
        channels = find_channels(self.list_data(spec), platform.buckets.data, clients.s3, self.data_field)
        return Run(spec, platform, image, source_digest, channels)

    def resume_request(
        self,
        request: dict[str, Any],
        previous: RunRecord | None,  # noqa: ARG002
        *,
        checkpoints: bool,
    ) -> dict[str, Any] | None:
        """Return `request` changed to continue from earlier results; None if there are none.

        `checkpoints` is true if the request's checkpoint address has objects.
        """
        return request if checkpoints else None

    def build_named_request(
        self, run: Run[Spec], name: str, checkpoints: str | None, outputs: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the whole request for the job `name`. Raises UserError if SageMaker's service model rejects it."""
        platform = run.platform
        references = JobReferences(
            role=platform.get_role_arn(self.phase),
            image=run.image,
            kms_key=platform.kms_key_arn,
            source=run.source,
            channels={channel.name: channel.address for channel in run.channels},
            models=run.layout.models,
            checkpoints=checkpoints,
            outputs=outputs,
            vpc=platform.vpc,
            prerequisite=next((prerequisite.name for prerequisite in self.list_prerequisites(run)), None),
        )
        tags = [{"Key": key, "Value": value} for key, value in sorted(run.tags.items())]
        request = {self._name_field("Name"): name, **self.build_request(run.spec, references), "Tags": tags}
        constraints.check(f"Create{self.noun}", request)
        return request

    def make_job_name(self, name: str, run_key: str, now: datetime) -> str:
        """Return `<name>-<UTC time>-<start of the run key>`, with a long name cut."""
        start = name[: self.longest_name - NAME_SUFFIX].rstrip("-")
        return f"{start}-{now.astimezone(UTC):%Y%m%d-%H%M%S}-{run_key[:6]}"

    def create(self, request: Mapping[str, Any], sagemaker: Client) -> str:
        """Start the job of the request and return its ARN. Raises UserError.

        Only one launch uses a name. A job with this name is therefore the requested one: a response was lost, or a
        launch failed after the request.
        """
        from botocore.exceptions import ClientError

        with aws.translate_aws_errors(f"Create{self.noun}"):
            try:
                response = self._find_operation("Create", sagemaker)(**request)
            except ClientError as error:
                if aws.read_error_code(error) != "ResourceInUse":
                    raise
                response = self._describe(request[self._name_field("Name")], sagemaker)
        arn: str = response[self._name_field("Arn")]
        return arn

    def refresh(self, record: RunRecord, sagemaker: Client) -> RunRecord:
        """Return the record with the current state of the job."""
        return self.update_record(record, self.describe(record, sagemaker))

    def describe(self, record: RunRecord, sagemaker: Client) -> Mapping[str, Any]:
        """Return SageMaker's description of the job."""
        return self._describe(record.job_name, sagemaker)

    def stop(self, job_name: str, sagemaker: Client) -> bool:
        """Request the end of the job; return False if it has already ended."""
        from botocore.exceptions import ClientError

        try:
            self._find_operation("Stop", sagemaker)(**{self._name_field("Name"): job_name})
        except ClientError:
            if self._describe(job_name, sagemaker)[self._name_field("Status")] not in FINAL_JOB_STATUSES:
                raise
            return False
        return True

    @property
    def worker(self) -> "JobKind[Any]":
        """Kind of the jobs whose instances do the work: this kind, unless it starts other jobs."""
        return self

    def list_running_jobs(self, record: RunRecord) -> dict[str, datetime]:
        """Return the jobs whose scripts run now, each with its start; `worker` is their kind."""
        working = record.status == "InProgress" and record.working_since
        return {record.job_name: working} if working else {}

    @property
    def log_group(self) -> str:
        """Log group of the jobs whose instances do the work."""
        return f"/aws/sagemaker/{self.worker.noun}s"

    def format_log_prefix(self, job_name: str) -> str:
        """Return the start of the names of a job's log streams; a job that starts others starts their names."""
        return f"{job_name}/" if self.worker is self else f"{job_name}-"

    def format_log_command(self, job_name: str, region: str) -> str:
        """Return the command that prints the log of a job. Both versions of the AWS CLI have it."""
        return (
            f"aws logs filter-log-events --region {region} --log-group-name {self.log_group} "
            f"--log-stream-name-prefix {self.format_log_prefix(job_name)} --query 'events[].[message]' --output text"
        )

    def format_stop_command(self, job_name: str, region: str) -> str:
        """Return the command that stops a job."""
        command, option = _join_words(self.noun, "-"), _join_words(self._name_field("Name"), "-")
        return f"aws sagemaker stop-{command} --{option} {job_name} --region {region}"

    def update_record(self, record: RunRecord, description: Mapping[str, Any]) -> RunRecord:
        """Return the record with the fields of the job's description."""
        readings = CounterReadings.from_values(self.read_counters(description), record.instance_count)
        record = record.model_copy(update={"measured": readings})
        return record.model_copy(
            update={
                "job_arn": description.get(self._name_field("Arn")),
                "status": description[self._name_field("Status")],
                "failure_reason": description.get("FailureReason"),
                "started_at": description.get(f"{self.time_prefix}StartTime"),
                "ended_at": description.get(f"{self.time_prefix}EndTime"),
                "figures": self.compute_figures(description, record),
                "calibration": footprint.find_carbon_ratio(record.instance_type, record.region),
                **self.read_record_fields(description),
            }
        )

    def read_counters(self, description: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """Return the values of counters in the container, as far as SageMaker has them.

        The names are keys of `counters.COUNTERS`.
        """
        return {}

    def compute_figures(self, description: Mapping[str, Any], record: RunRecord) -> dict[str, RunFigure]:
        """Return the measured figures of the job, and the figures that follow from them."""
        running, billable = self.read_seconds(description)
        figures = {}
        if running is not None:
            figures[self.seconds_figure_name] = running
        if billable is not None:
            figures["billable_seconds"] = billable
            source = f"{billable.source.rpartition(': ')[2]} x instance count"
            figures["instance_seconds"] = make_measured_figure(
                billable.value * record.instance_count, "instance s", source
            )
        if running is not None and billable is not None:
            if record.spot and running.value:
                # The formula of DescribeTrainingJob's API reference.
                source = "1 - BillableTimeInSeconds / TrainingTimeInSeconds"
                figures["spot_saving_fraction"] = make_measured_figure(
                    1 - billable.value / running.value, "of on-demand cost", source
                )
            figures |= footprint.estimate_figures(
                record.instance_type,
                record.instance_count,
                record.region,
                running.value,
                billable.value,
                spot=record.spot,
                volume_gb=self.read_instances(description).volume_gb,
                measured=record.measured,
            )
        return figures

    @property
    def seconds_figure_name(self) -> str:
        """Name of the figure with the seconds that the instances ran."""
        return f"{self.name}_seconds"

    def read_seconds(self, description: Mapping[str, Any]) -> tuple[RunFigure | None, RunFigure | None]:
        """Return the seconds each instance ran and the billed seconds: both from start to end, by default."""
        start, end = description.get(f"{self.time_prefix}StartTime"), description.get(f"{self.time_prefix}EndTime")
        if start is None or end is None:
            return None, None
        source = f"Describe{self.noun}: {self.time_prefix}EndTime - {self.time_prefix}StartTime"
        wall = make_measured_figure((end - start).total_seconds(), "s", source)
        return wall, wall

    def _describe(self, job_name: str, sagemaker: Client) -> Mapping[str, Any]:
        description: Mapping[str, Any] = self._find_operation("Describe", sagemaker)(
            **{self._name_field("Name"): job_name}
        )
        return description

    def _name_field(self, name: str) -> str:
        return f"{self.noun}{name}"

    def _find_operation(self, verb: str, sagemaker: Client) -> Any:
        return getattr(sagemaker, f"{verb.lower()}_{_join_words(self.noun, '_')}")


def make_measured_figure(value: float, unit: str, source: str) -> RunFigure:
    """Return a figure that SageMaker measured."""
    return RunFigure(value=float(value), unit=unit, basis="measured", source=source)


def _join_words(camel: str, between: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", between, camel).lower()
