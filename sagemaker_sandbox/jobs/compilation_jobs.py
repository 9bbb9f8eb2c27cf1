"""StopCompilationJob, which moto lacks.

moto stores the jobs themselves, and they are complete immediately.
"""

from sagemaker_sandbox.base.errors import ResourceNotFoundError, ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields, ServicePart


class CompilationJobs(ServicePart):
    """Handler of StopCompilationJob."""

    noun = "stop of compilation jobs, which are COMPLETED immediately"

    @emulated_operation
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
