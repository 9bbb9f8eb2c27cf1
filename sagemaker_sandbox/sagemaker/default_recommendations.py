"""Recommendations that DescribeModel returns, without a job. Source: DeploymentRecommendation in the API reference."""

import hashlib

from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.sagemaker.model_facts import INSTANCE_TYPES
from sustainable_mlops.catalogue.images import detect_framework


def recommend_deployment(model_name: str, containers: list[Fields]) -> Fields:
    """Return the DeploymentRecommendation of a model.

    AWS publishes no rule. Here, one container whose image names a framework is enough information (assumed).
    """
    is_known = len(containers) == 1 and detect_framework(containers[0].get("Image", "")) is not None
    return {
        "RecommendationStatus": "COMPLETED" if is_known else "NOT_APPLICABLE",
        "RealTimeInferenceRecommendations": [
            _recommend_instance(model_name, instance_type) for instance_type in INSTANCE_TYPES if is_known
        ],
    }


def _recommend_instance(model_name: str, instance_type: str) -> Fields:
    identifier = hashlib.sha256(f"{model_name}/{instance_type}".encode()).hexdigest()[:8]
    return {"RecommendationId": f"{model_name}/{identifier}", "InstanceType": instance_type, "Environment": {}}
