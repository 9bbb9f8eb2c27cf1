"""StopCompilationJob, which moto lacks.

moto stores the jobs themselves, and they are complete at once.
"""

from sagemaker_sandbox.errors import ResourceNotFoundError, ValidationError
from sagemaker_sandbox.parts.handlers import recorded_operation
from sagemaker_sandbox.parts.resources import Fields, ServicePart


class CompilationJobs(ServicePart):
    """Handler of StopCompilationJob."""

    @recorded_operation("Refused: each job is COMPLETED at once.")
    def stop_compilation_job(self, request: Fields) -> Fields:
        """Raise ResourceNotFoundError, or ValidationError as for every finished job."""
        from moto.sagemaker.models import sagemaker_backends

        name = request["CompilationJobName"]
        job = sagemaker_backends[self.region.account_id][self.region.name].compilation_jobs.get(name)
        if job is None:
            raise ResourceNotFoundError(f"Could not find compilation job '{name}'.")
        raise ValidationError(
            f"The request was rejected because the compilation job is in status {job.compilation_job_status}."
        )
