"""What is said of a kind of job once, so that launching, following, recording and estimating need not know it."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic

from sustainable_mlops import aws
from sustainable_mlops.aws import Client, Clients, constraints
from sustainable_mlops.jobs import footprint
from sustainable_mlops.jobs.channels import find_channels
from sustainable_mlops.jobs.figure import Figure
from sustainable_mlops.jobs.measurement.counters import Measured
from sustainable_mlops.jobs.platform import Phase, Platform
from sustainable_mlops.jobs.record import ENDED, RunRecord
from sustainable_mlops.jobs.run import Run, Spec
from sustainable_mlops.jobs.spec_files import load_spec
from sustainable_mlops.jobs.specs.common import NAME_SUFFIX

#: An address, a name or an ARN; in the definition of a pipeline also a reference, such as `{"Get": "Parameters.X"}`.
Value = Any


@dataclass(frozen=True)
class Places:
    """Where a job's parts are. A request names them and looks into none."""

    role: Value
    image: Value
    kms_key: Value | None
    #: Of the packed source; None for a job that sends none.
    source: Value | None
    channels: Mapping[str, Value]
    #: Below it SageMaker makes a folder for the models of each job.
    models: Value
    checkpoints: Value | None
    #: Name of an output to where it goes, for kinds whose outputs are named.
    outputs: Mapping[str, Value] = field(default_factory=dict)
    #: The name of what `Kind.needs` says the job needs.
    needed: Value | None = None


@dataclass(frozen=True)
class Needed:
    """A resource that has to be there before the job, as `Create<noun>` is asked for it, but for its name.

    Its name is made from its content: under that name there is never anything else, and it is made once.
    """

    noun: str
    name: str
    request: Mapping[str, Any]

    def make(self, sagemaker: Client) -> None:
        """Create it, unless it is there already. Raises UserError."""
        from botocore.exceptions import ClientError

        with aws.translate_aws_errors(f"Create{self.noun}"):
            try:
                getattr(sagemaker, f"create_{_words(self.noun, '_')}")(
                    **{f"{self.noun}Name": self.name}, **self.request
                )
            except ClientError as error:
                if "already exist" not in str(error):
                    raise


@dataclass(frozen=True)
class Machines:
    """What a job occupies."""

    instance_type: str
    count: int
    #: Seconds after which it is ended.
    cap: int
    volume_gb: float
    #: None where SageMaker has no managed spot for the kind.
    spot: bool | None
    #: Seconds that the machines may wait, billed, for another job.
    warm: int = 0
    #: Of a search: how many such jobs it may start, whether it may end before, and whether it ends some of them early.
    jobs: int = 1
    may_end_before: bool = False
    stops_jobs: bool = False


class Kind(ABC, Generic[Spec]):
    """A kind of job. Its operations and their members follow from `noun`: CreateTrainingJob, TrainingJobName."""

    #: As in a record, and in the name of the figure of its seconds.
    name: ClassVar[str]
    #: What SageMaker's API calls it.
    noun: ClassVar[str]
    #: What its API's members for the times start with: TrainingStartTime.
    time: ClassVar[str]
    #: What was done once it has ended well.
    done: ClassVar[str]
    #: Whose role the job runs under.
    phase: ClassVar[Phase]
    #: Most characters of a job's name.
    longest_name: ClassVar[int] = 63
    #: Where the job file has the data, to tell what is missing.
    data_field: ClassVar[str] = "data"
    spec: type[Any]

    @property
    def title(self) -> str:
        """As a person calls it."""
        return f"{self.name} job"

    def load(self, path: Path) -> Spec:
        """The file at `path`. Raises UserError."""
        spec: Spec = load_spec(path, self.spec)
        return spec

    @abstractmethod
    def check(self, spec: Spec) -> None:
        """Raise UserError, with the remedy, for what SageMaker would refuse and needs no account to tell."""

    @abstractmethod
    def image(self, spec: Spec, platform: Platform) -> str:
        """The address of the image. Raises UserError."""

    @abstractmethod
    def data(self, spec: Spec) -> Mapping[str, str]:
        """Channel to its data: a key or prefix in the platform's data bucket, or an s3:// address."""

    def dealt_out(self, spec: Spec) -> frozenset[str]:  # noqa: ARG002
        """Channels of whose objects each of several instances gets a share."""
        return frozenset()

    @abstractmethod
    def request(self, spec: Spec, places: Places) -> dict[str, Any]:
        """What SageMaker is asked for, but for name and tags. Pure: a step of a pipeline takes the same."""

    @abstractmethod
    def machines(self, request: Mapping[str, Any]) -> Machines:
        """What a request, or the description of its job, occupies."""

    def outputs(self, run: Run[Spec], attempt: str) -> dict[str, str]:  # noqa: ARG002
        """Name of each output to its address; `attempt` tells a forced run from the one before it."""
        return {}

    def needs(self, run: Run[Spec]) -> tuple[Needed, ...]:  # noqa: ARG002
        """What must be there before the job."""
        return ()

    def stops_after(self, spec: Spec) -> int | None:  # noqa: ARG002
        """Seconds after which whoever follows the job stops it; None where SageMaker does so by itself."""
        return None

    def promised(self, run: Run[Spec]) -> dict[str, Any]:  # noqa: ARG002
        """Fields of a record that no job decides, so that they are renewed for a job that is done. Raises UserError."""
        return {}

    def found(self, description: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Fields of a record that this kind alone has, from the description of its job."""
        return {}

    def gather(
        self, spec: Spec, platform: Platform, image: str, source_digest: str | None, clients: Clients
    ) -> Run[Spec]:
        """The run, with its data looked at. Raises UserError."""
        channels = find_channels(self.data(spec), platform.buckets.data, clients.s3, self.data_field)
        return Run(spec, platform, image, source_digest, channels)

    def resumed(
        self,
        request: dict[str, Any],
        previous: RunRecord | None,  # noqa: ARG002
        *,
        checkpoints: bool,
    ) -> dict[str, Any] | None:
        """`request` so that it goes on from what the run has left; None where that is nothing.

        `checkpoints` says whether there are any where the request has them.
        """
        return request if checkpoints else None

    def build(self, run: Run[Spec], name: str, checkpoints: str | None, outputs: Mapping[str, str]) -> dict[str, Any]:
        """The whole request for the job `name`. Raises UserError where SageMaker's service model refuses it."""
        platform = run.platform
        places = Places(
            role=platform.role(self.phase),
            image=run.image,
            kms_key=platform.kms_key_arn,
            source=run.source,
            channels={channel.name: channel.address for channel in run.channels},
            models=run.layout.models,
            checkpoints=checkpoints,
            outputs=outputs,
            needed=next((one.name for one in self.needs(run)), None),
        )
        tags = [{"Key": key, "Value": value} for key, value in sorted(run.tags.items())]
        whole = {self._member("Name"): name, **self.request(run.spec, places), "Tags": tags}
        constraints.check(f"Create{self.noun}", whole)
        return whole

    def job_name(self, name: str, run_key: str, now: datetime) -> str:
        """`<name>-<UTC time>-<start of the run key>`: sorted by time, told apart by content; a long name is cut."""
        start = name[: self.longest_name - NAME_SUFFIX].rstrip("-")
        return f"{start}-{now.astimezone(UTC):%Y%m%d-%H%M%S}-{run_key[:6]}"

    def create(self, request: Mapping[str, Any], sagemaker: Client) -> str:
        """Start the job of the request; returns its ARN. Raises UserError.

        A name is of one launch alone, so a job that has it is what was asked for before, by a request whose answer was
        lost or by a launch that broke off.
        """
        from botocore.exceptions import ClientError

        with aws.translate_aws_errors(f"Create{self.noun}"):
            try:
                answer = self._call("Create", sagemaker)(**request)
            except ClientError as error:
                if aws.error_code(error) != "ResourceInUse":
                    raise
                answer = self._described(request[self._member("Name")], sagemaker)
        arn: str = answer[self._member("Arn")]
        return arn

    def current(self, record: RunRecord, sagemaker: Client) -> RunRecord:
        """The record with what SageMaker says now."""
        return self.updated(record, self.describe(record, sagemaker))

    def describe(self, record: RunRecord, sagemaker: Client) -> Mapping[str, Any]:
        """What SageMaker says of the job now."""
        return self._described(record.job_name, sagemaker)

    def stop(self, job_name: str, sagemaker: Client) -> bool:
        """Ask SageMaker to end the job; False where it has ended by itself meanwhile."""
        from botocore.exceptions import ClientError

        try:
            self._call("Stop", sagemaker)(**{self._member("Name"): job_name})
        except ClientError:
            if self._described(job_name, sagemaker)[self._member("Status")] not in ENDED:
                raise
            return False
        return True

    @property
    def worker(self) -> "Kind[Any]":
        """The kind of the jobs whose machines do the work: this one, where it starts no others."""
        return self

    def at_work(self, record: RunRecord) -> dict[str, datetime]:
        """Jobs whose scripts run now, each to when it began to; `worker` is their kind."""
        working = record.status == "InProgress" and record.working_since
        return {record.job_name: working} if working else {}

    def stop_command(self, job_name: str) -> str:
        """How a person ends a job."""
        return f"aws sagemaker stop-{_words(self.noun, '-')} --{_words(self._member('Name'), '-')} {job_name}"

    def updated(self, record: RunRecord, description: Mapping[str, Any]) -> RunRecord:
        """The record with what the description of its job says."""
        counted = Measured.of_values(self.counted(description), record.instance_count)
        record = record.model_copy(update={"measured": counted})
        return record.model_copy(
            update={
                "job_arn": description.get(self._member("Arn")),
                "status": description[self._member("Status")],
                "failure_reason": description.get("FailureReason"),
                "started_at": description.get(f"{self.time}StartTime"),
                "ended_at": description.get(f"{self.time}EndTime"),
                "figures": self.figures(description, record),
                **self.found(description),
            }
        )

    def counted(self, description: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG002
        """What counters in the container said, by the names of `measured.COUNTERS`, as far as SageMaker hands it on."""
        return {}

    def figures(self, description: Mapping[str, Any], record: RunRecord) -> dict[str, Figure]:
        """What was measured of the job, and what follows from that."""
        running, billable = self.seconds(description)
        found = {}
        if running is not None:
            found[self.seconds_figure] = running
        if billable is not None:
            found["billable_seconds"] = billable
            source = f"{billable.source.rpartition(': ')[2]} x instance count"
            found["instance_seconds"] = measured(billable.value * record.instance_count, "instance s", source)
        if running is not None and billable is not None:
            if record.spot and running.value:
                # The formula of DescribeTrainingJob's API reference.
                source = "1 - BillableTimeInSeconds / TrainingTimeInSeconds"
                found["spot_saving_fraction"] = measured(
                    1 - billable.value / running.value, "of on-demand cost", source
                )
            found |= footprint.figures(
                record.instance_type,
                record.instance_count,
                record.region,
                running.value,
                billable.value,
                spot=record.spot,
                volume_gb=self.machines(description).volume_gb,
                measured=record.measured,
            )
        return found

    @property
    def seconds_figure(self) -> str:
        """The name of the figure of the seconds that the machines ran."""
        return f"{self.name}_seconds"

    def seconds(self, description: Mapping[str, Any]) -> tuple[Figure | None, Figure | None]:
        """How long each instance ran, and for how long it is billed: from start to end, as SageMaker tells no more."""
        start, end = description.get(f"{self.time}StartTime"), description.get(f"{self.time}EndTime")
        if start is None or end is None:
            return None, None
        source = f"Describe{self.noun}: {self.time}EndTime - {self.time}StartTime"
        wall = measured((end - start).total_seconds(), "s", source)
        return wall, wall

    def _described(self, job_name: str, sagemaker: Client) -> Mapping[str, Any]:
        description: Mapping[str, Any] = self._call("Describe", sagemaker)(**{self._member("Name"): job_name})
        return description

    def _member(self, name: str) -> str:
        return f"{self.noun}{name}"

    def _call(self, verb: str, sagemaker: Client) -> Any:
        return getattr(sagemaker, f"{verb.lower()}_{_words(self.noun, '_')}")


def measured(value: float, unit: str, source: str) -> Figure:
    """A figure that SageMaker measured."""
    return Figure(value=float(value), unit=unit, basis="measured", source=source)


def _words(camel: str, between: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", between, camel).lower()
