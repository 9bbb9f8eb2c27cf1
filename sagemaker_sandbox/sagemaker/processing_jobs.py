"""Processing jobs: the API's side. `runtime.processing` says how one runs."""

from typing import TYPE_CHECKING

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.resources import Fields, SageMakerResource
from sagemaker_sandbox.sagemaker.jobs import Jobs

if TYPE_CHECKING:
    from sagemaker_sandbox.runtime.reporting import JobUpdate


class ProcessingJobs(Jobs):
    """Create, Describe, List, Stop and DeleteProcessingJob."""

    arn_type = "processing-job"
    noun = "processing job"
    kind = "ProcessingJob"
    time = "Processing"

    @emulated_operation
    def create_processing_job(self, request: Fields) -> Fields:
        """Start a job; it reports InProgress, and runs in processes of its own."""
        from sagemaker_sandbox.runtime.processing_definition import ProcessingDefinition

        name = request["ProcessingJobName"]
        self.name_must_be_free(name)
        _check_names(request)
        isolated = request.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
        role = None if isolated else request["RoleArn"]
        return self.begin(request, {}, ProcessingDefinition(request, self.build_arn(name)), role=role)

    def told(self, job: SageMakerResource, update: "JobUpdate") -> None:
        """What the container left as its message."""
        if update.exit_message is not None:
            job.fields["ExitMessage"] = update.exit_message

    @emulated_operation
    def describe_processing_job(self, request: Fields) -> Fields:
        """The job as it stands."""
        return self.get(request["ProcessingJobName"]).fields

    @emulated_operation
    def list_processing_jobs(self, request: Fields) -> Fields:
        """Summaries."""
        return self.page(request)

    @emulated_operation
    def stop_processing_job(self, request: Fields) -> Fields:
        """SIGTERM, two minutes, then the end; outputs of EndOfJob are not uploaded."""
        return self.stop(request)

    @emulated_operation
    def delete_processing_job(self, request: Fields) -> Fields:
        """Only once it is over."""
        return self.delete(request)


def _check_names(request: Fields) -> None:
    for kind, given in (
        ("Input", request.get("ProcessingInputs", [])),
        ("Output", request.get("ProcessingOutputConfig", {}).get("Outputs", [])),
    ):
        names = [one[f"{kind}Name"] for one in given]
        if len(set(names)) < len(names):
            raise ValidationError(f"{kind} names of a processing job must be unique.")
        for one in given:
            sources = [member for member in ("S3Input", "DatasetDefinition") if member in one]
            if kind == "Input" and len(sources) != 1:
                raise ValidationError(
                    f"Input {one['InputName']} must have exactly one of S3Input and DatasetDefinition."
                )
