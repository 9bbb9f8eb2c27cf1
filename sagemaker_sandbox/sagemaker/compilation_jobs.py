"""Stopping a compilation job, which moto does not know; it keeps the jobs themselves, which are over at once."""

from sagemaker_sandbox.errors import ResourceNotFoundError, ValidationError
from sagemaker_sandbox.parts.handlers import recorded_operation
from sagemaker_sandbox.parts.resources import Fields, ServicePart


class CompilationJobs(ServicePart):
    """StopCompilationJob."""

    @recorded_operation("Refused, as each job is COMPLETED at once.")
    def stop_compilation_job(self, request: Fields) -> Fields:
        """Raises ResourceNotFoundError, or ValidationError as for any job that is over."""
        from moto.sagemaker.models import sagemaker_backends

        name = request["CompilationJobName"]
        job = sagemaker_backends[self.region.account_id][self.region.name].compilation_jobs.get(name)
        if job is None:
            raise ResourceNotFoundError(f"Could not find compilation job '{name}'.")
        raise ValidationError(
            f"The request was rejected because the compilation job is in status {job.compilation_job_status}."
        )
