"""The events that people hear of. Their names and details are those of the SageMaker developer guide, "Events that
SageMaker AI sends to Amazon EventBridge": what waits for another name waits for ever."""

from typing import Any

SOURCE = "aws.sagemaker"
DEPLOYMENT, STATE = (f"SageMaker Endpoint {what} Change" for what in ("Deployment State", "State"))
_OVER = ["Failed", "Stopped"]


def _jobs(noun: str) -> dict[str, Any]:
    """Jobs of a kind that did not do what they were to do."""
    return pattern(f"SageMaker {noun} Job State Change", {f"{noun.replace(' ', '')}JobStatus": _OVER})


def pattern(detail_type: str, detail: dict[str, Any]) -> dict[str, Any]:
    """The pattern of SageMaker's events of one type."""
    return {"source": [SOURCE], "detail-type": [detail_type], "detail": detail}


#: By name: what it is, and the pattern.
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "deployments": (
        "An endpoint is being given another model, step by step.",
        pattern(DEPLOYMENT, {"EndpointName": [{"exists": True}]}),
    ),
    "endpoints": (
        "An endpoint has failed, or goes back to what it served before.",
        pattern(
            STATE, {"EndpointStatus": ["FAILED", "OUT_OF_SERVICE", "ROLLING_BACK", "UPDATE_ROLLBACK_FAILED"]}
        ),
    ),
    "model_packages": (
        "A model package was approved or rejected.",
        pattern(
            "SageMaker Model Package State Change",
            {"ModelApprovalStatus": ["Approved", "Rejected"], "UpdatedModelPackageFields": ["ModelApprovalStatus"]},
        ),
    ),
    "pipelines": (
        "A pipeline's run has failed or was stopped.",
        pattern(
            "SageMaker Model Building Pipeline Execution Status Change", {"currentPipelineExecutionStatus": _OVER}
        ),
    ),
    "processing_jobs": ("A processing job has failed or was stopped.", _jobs("Processing")),
    "training_jobs": ("A training job has failed or was stopped.", _jobs("Training")),
    "transform_jobs": ("A transform job has failed or was stopped.", _jobs("Transform")),
    "tuning_jobs": ("A tuning job has failed or was stopped.", _jobs("HyperParameter Tuning")),
}
