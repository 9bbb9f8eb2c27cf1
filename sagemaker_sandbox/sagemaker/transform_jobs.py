"""Batch transform jobs: the API's side. `runtime.transform` says how one runs."""

from sagemaker_sandbox.errors import NotEmulatedError, ValidationError
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import Fields
from sagemaker_sandbox.sagemaker.jobs import Jobs
from sagemaker_sandbox.sagemaker.models import Models
from sagemaker_sandbox.sagemaker.served_containers import served_containers

#: What MaxConcurrentTransforms times MaxPayloadInMB may come to. Source: CreateTransformJob in the API reference.
_MEGABYTES_AT_ONCE = 100
_PAYLOAD_MB = 6


class TransformJobs(Jobs):
    """Create, Describe, List and StopTransformJob."""

    arn_type = "transform-job"
    noun = "transform job"
    kind = "TransformJob"
    time = "Transform"

    def __init__(self, region: AccountRegion, models: Models) -> None:
        super().__init__(region)
        self._models = models

    @emulated_operation
    def create_transform_job(self, request: Fields) -> Fields:
        """Start a job over the model as it is now; it reports InProgress."""
        from sagemaker_sandbox.runtime.model_data import build_model_environment, list_sources
        from sagemaker_sandbox.runtime.transform_definition import ServedModel, TransformDefinition

        self.name_must_be_free(request["TransformJobName"])
        _check(request)
        model = self._models.get(request["ModelName"]).fields
        containers = served_containers(self.region, model)
        if len(containers) > 1:
            raise NotEmulatedError("CreateTransformJob for an inference pipeline", "Use a model of one container.")
        served = ServedModel(list_sources(containers[0]), build_model_environment(containers[0]))
        role = None if model["EnableNetworkIsolation"] else model.get("ExecutionRoleArn")
        return self.begin(request, {}, TransformDefinition(request, served), role=role)

    @emulated_operation
    def describe_transform_job(self, request: Fields) -> Fields:
        """The job as it stands."""
        return self.get(request["TransformJobName"]).fields

    @emulated_operation
    def list_transform_jobs(self, request: Fields) -> Fields:
        """Summaries."""
        return self.page(request)

    @emulated_operation
    def stop_transform_job(self, request: Fields) -> Fields:
        """Nothing more is asked, and nothing stored."""
        return self.stop(request)


def _check(request: Fields) -> None:
    payload = request.get("MaxPayloadInMB", _PAYLOAD_MB)
    if (request.get("MaxConcurrentTransforms") or 1) * payload > _MEGABYTES_AT_ONCE:
        raise ValidationError(
            f"The value of MaxConcurrentTransforms * MaxPayloadInMB cannot exceed {_MEGABYTES_AT_ONCE} MB."
        )
    split = request["TransformInput"].get("SplitType", "None")
    if request.get("BatchStrategy") == "MultiRecord" and split == "None":
        raise ValidationError("BatchStrategy MultiRecord needs a SplitType of Line, RecordIO or TFRecord.")
