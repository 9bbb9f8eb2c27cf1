"""Endpoint configurations and models in use: by endpoints, inference components and transform jobs."""

from collections.abc import Collection, Iterator
from typing import Any

from sustainable_mlops.account.idle.account import AccountReader


def list_used_configurations(account: AccountReader) -> set[str]:
    """Return the configurations of all endpoints and of their pending deployments."""
    names = set()
    for summary in account.list_all("sagemaker", "list_endpoints", "Endpoints"):
        endpoint = account.call("sagemaker", "describe_endpoint", EndpointName=summary["EndpointName"])
        parts = (endpoint, endpoint.get("PendingDeploymentSummary", {}))
        names |= {part["EndpointConfigName"] for part in parts if "EndpointConfigName" in part}
    return names


def list_models(account: AccountReader, configurations: Collection[str], used: Collection[str]) -> set[str]:
    """Return the models of configurations, and those of the inference components of their endpoints.

    `used` are the configurations of endpoints. A variant for inference components names no model. A configuration of
    an endpoint may be deleted, so it may have had such a variant.
    """
    models = set()
    has_components = not set(used) <= set(configurations)
    for name in configurations:
        configuration = account.call("sagemaker", "describe_endpoint_config", EndpointConfigName=name)
        for variant in _list_variants(configuration):
            if "ModelName" in variant:
                models.add(variant["ModelName"])
            else:
                has_components = True
    return models | set(_list_component_models(account)) if has_components else models


def list_transform_models(account: AccountReader, **filters: Any) -> set[str]:
    """Return the models of the transform jobs that a filter of ListTransformJobs selects."""
    jobs = account.list_all("sagemaker", "list_transform_jobs", "TransformJobSummaries", **filters)
    names = [job["TransformJobName"] for job in jobs]
    return {account.call("sagemaker", "describe_transform_job", TransformJobName=name)["ModelName"] for name in names}


def _list_variants(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    return [*configuration["ProductionVariants"], *(configuration.get("ShadowProductionVariants") or ())]


def _list_component_models(account: AccountReader) -> Iterator[str]:
    for summary in account.list_all("sagemaker", "list_inference_components", "InferenceComponents"):
        name = summary["InferenceComponentName"]
        component = account.call("sagemaker", "describe_inference_component", InferenceComponentName=name)
        for specification in (component.get("Specification", {}), *component.get("Specifications", ())):
            if "ModelName" in specification:
                yield specification["ModelName"]
