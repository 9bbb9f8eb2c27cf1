"""Operations on processing jobs. `runtime.processing_definition` defines how a job runs."""

from typing import TYPE_CHECKING

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.jobs.jobs import JobFamily
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields, SageMakerResource
from sagemaker_sandbox.sagemaker import networks

if TYPE_CHECKING:
    from sagemaker_sandbox.jobs.runtime.reporting import JobUpdate


class ProcessingJobs(JobFamily):
    """Handlers of the operations on processing jobs."""

    arn_type = "processing-job"
    noun = "processing job"
    kind = "ProcessingJob"
    time_prefix = "Processing"

    @emulated_operation
    def create_processing_job(self, request: Fields) -> Fields:
        """Start a job, which runs in processes of its own and is InProgress."""
        from sagemaker_sandbox.jobs.runtime.processing_definition import ProcessingDefinition

        name = request["ProcessingJobName"]
        self.check_job_name_is_free(name)
        _check_names(request)
        network = request.get("NetworkConfig", {})
        networks.check_vpc_config(self.region, network.get("VpcConfig"))
        isolated = network.get("EnableNetworkIsolation", False)
        role = None if isolated else request["RoleArn"]
        work = ProcessingDefinition(request, self.build_arn(name))
        return self.start_job(request, {}, work, role=role, network=network.get("VpcConfig"))

    def apply_details(self, job: SageMakerResource, update: "JobUpdate") -> None:
        """Apply the container's exit message."""
        if update.exit_message is not None:
            job.fields["ExitMessage"] = update.exit_message

    @emulated_operation
    def describe_processing_job(self, request: Fields) -> Fields:
        """Return the job as it is now."""
        return self.get(request["ProcessingJobName"]).fields

    @emulated_operation
    def list_processing_jobs(self, request: Fields) -> Fields:
        """Return summaries."""
        return self.list_jobs(request)

    @emulated_operation
    def stop_processing_job(self, request: Fields) -> Fields:
        """Send SIGTERM, and end the job after two minutes. Outputs of mode EndOfJob are not uploaded."""
        return self.stop_job(request)

    @emulated_operation
    def delete_processing_job(self, request: Fields) -> Fields:
        """Delete a finished job."""
        return self.delete_job(request)


def _check_names(request: Fields) -> None:
    for kind, definitions in (
        ("Input", request.get("ProcessingInputs", [])),
        ("Output", request.get("ProcessingOutputConfig", {}).get("Outputs", [])),
    ):
        names = [definition[f"{kind}Name"] for definition in definitions]
        if len(set(names)) < len(names):
            raise ValidationError(f"{kind} names of a processing job must be unique.")
        for definition in definitions:
            sources = [member for member in ("S3Input", "DatasetDefinition") if member in definition]
            if kind == "Input" and len(sources) != 1:
                raise ValidationError(
                    f"Input {definition['InputName']} must have exactly one of S3Input and DatasetDefinition."
                )
