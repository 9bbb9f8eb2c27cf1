"""Operations on batch transform jobs. `runtime.transform_definition` defines how a job runs."""

from sagemaker_sandbox.base.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.jobs.jobs import JobFamily, add_empty_key
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.sagemaker.models import Models
from sagemaker_sandbox.sagemaker.served_containers import resolve_containers

#: Limit of MaxConcurrentTransforms times MaxPayloadInMB. Source: CreateTransformJob in the API reference.
_MAX_CONCURRENT_MB = 100
_DEFAULT_PAYLOAD_MB = 6


class TransformJobs(JobFamily):
    """Handlers of the operations on transform jobs."""

    arn_type = "transform-job"
    noun = "transform job"
    kind = "TransformJob"
    time_prefix = "Transform"

    def __init__(self, region: AccountRegion, models: Models) -> None:
        super().__init__(region)
        self._models = models

    @emulated_operation
    def create_transform_job(self, request: Fields) -> Fields:
        """Start a job with the current model. It is InProgress."""
        from sagemaker_sandbox.jobs.runtime.model_data import build_model_environment, list_sources
        from sagemaker_sandbox.jobs.runtime.transform_definition import ServedModel, TransformDefinition

        self.check_job_name_is_free(request["TransformJobName"])
        _check(request)
        model = self._models.get(request["ModelName"]).fields
        containers = resolve_containers(self.region, model)
        if len(containers) > 1:
            raise NotEmulatedError("CreateTransformJob for an inference pipeline", "Use a model of one container.")
        served = ServedModel(list_sources(containers[0]), build_model_environment(containers[0]))
        role = None if model["EnableNetworkIsolation"] else model.get("ExecutionRoleArn")
        return self.start_job(
            request, {}, TransformDefinition(request, served), role=role, network=model.get("VpcConfig")
        )

    @emulated_operation
    def describe_transform_job(self, request: Fields) -> Fields:
        """Return the job as it is now."""
        return add_empty_key(self.get(request["TransformJobName"]).fields, "TransformOutput")

    @emulated_operation
    def list_transform_jobs(self, request: Fields) -> Fields:
        """Return summaries."""
        return self.list_jobs(request)

    @emulated_operation
    def stop_transform_job(self, request: Fields) -> Fields:
        """Send no further requests to the model, and store nothing."""
        return self.stop_job(request)


def _check(request: Fields) -> None:
    payload = request.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MB)
    if (request.get("MaxConcurrentTransforms") or 1) * payload > _MAX_CONCURRENT_MB:
        raise ValidationError(
            f"The value of MaxConcurrentTransforms * MaxPayloadInMB cannot exceed {_MAX_CONCURRENT_MB} MB."
        )
    split = request["TransformInput"].get("SplitType", "None")
    if request.get("BatchStrategy") == "MultiRecord" and split == "None":
        raise ValidationError("BatchStrategy MultiRecord needs a SplitType of Line, RecordIO or TFRecord.")
