"""Operations that the sandbox passes to moto, which stores their input and returns it.

The list is explicit, so that a new version of moto adds no operation unnoticed. Operations without a handler are
refused, with a reason that depends on their subject.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MotoOperations:
    """Operations of moto on one type of resource.

    `list_operation` holds the List operation, its list and the member with the name. The inventory uses it.
    """

    operations: tuple[str, ...]
    note: str
    arn_type: str = ""
    list_operation: tuple[str, str, str] | None = None


def _build_operation_names(noun: str, *verbs: str) -> tuple[str, ...]:
    return tuple(f"{verb}{noun + 's' if verb == 'List' else noun}" for verb in verbs)


MOTO_OPERATIONS: tuple[MotoOperations, ...] = (
    MotoOperations(
        _build_operation_names("Experiment", "Create", "Describe", "List", "Delete"),
        "Stored. Nothing is tracked automatically.",
        "experiment",
        ("ListExperiments", "ExperimentSummaries", "ExperimentName"),
    ),
    MotoOperations(
        _build_operation_names("Trial", "Create", "Describe", "List", "Delete"),
        "Stored. Nothing is tracked automatically.",
        "experiment-trial",
        ("ListTrials", "TrialSummaries", "TrialName"),
    ),
    MotoOperations(
        (
            *_build_operation_names("TrialComponent", "Create", "Describe", "Update", "List", "Delete"),
            "AssociateTrialComponent",
            "DisassociateTrialComponent",
        ),
        "Stored. Jobs create none.",
        "experiment-trial-component",
        ("ListTrialComponents", "TrialComponentSummaries", "TrialComponentName"),
    ),
    MotoOperations(
        (
            *_build_operation_names("ModelCard", "Create", "Describe", "Update", "Delete", "List"),
            "ListModelCardVersions",
        ),
        "Stored with its versions. No export.",
        "model-card",
        ("ListModelCards", "ModelCardSummaries", "ModelCardName"),
    ),
    MotoOperations(
        (
            *_build_operation_names("Cluster", "Create", "Describe", "Delete", "List"),
            "DescribeClusterNode",
            "ListClusterNodes",
        ),
        "Stored. No node runs.",
        "cluster",
        ("ListClusters", "ClusterSummaries", "ClusterName"),
    ),
    MotoOperations(
        ("CreateAutoMLJobV2", "DescribeAutoMLJobV2", "ListAutoMLJobs", "StopAutoMLJob"),
        "Stored. Nothing is trained.",
        "automl-job",
        ("ListAutoMLJobs", "AutoMLJobSummaries", "AutoMLJobName"),
    ),
    MotoOperations(
        _build_operation_names("CompilationJob", "Create", "Describe", "List", "Delete"),
        "Stored. Nothing is compiled.",
        "compilation-job",
        ("ListCompilationJobs", "CompilationJobSummaries", "CompilationJobName"),
    ),
)

_SEARCH_RESOURCES = ("Experiment", "ExperimentTrial", "ExperimentTrialComponent")
_TAG_OPERATIONS = ("AddTags", "ListTags", "DeleteTags")
_ARN_TYPES = frozenset(recorded.arn_type for recorded in MOTO_OPERATIONS if recorded.arn_type)

_METRICS_NOTES = {"BatchPutMetrics": "Stored on trial components of CreateTrialComponent."}

_NOTES = {operation: recorded.note for recorded in MOTO_OPERATIONS for operation in recorded.operations}

#: Reason and alternative of refused operations, by a pattern of the name. The first match counts.
_REASONS: tuple[tuple[str, str], ...] = (
    (r"EdgeP|EdgeD|DeviceFleet|Device|StageDevice", "AWS has ended Edge Manager. Deploy with IoT Greengrass."),
    (r"Cluster|ComputeQuota|UltraServer", "No HyperPod cluster runs here. Use an AWS account."),
    (r"InferenceComponent", "Not implemented. Deploy one model for each endpoint."),
    (r"InferenceExperiment", "Not implemented. Compare two endpoints, or use an AWS account."),
    (r"AIBenchmark|AIRecommend|AIWorkload", "No AWS instance runs here. Use an AWS account."),
    (r"Monitoring", "Not implemented. Use an AWS account."),
    (
        r"Domain|UserProfile|Space|App|Studio|PresignedUrl|Notebook|CodeRepository|Image",
        "Studio and notebooks do not run here. Use an AWS account.",
    ),
    (r"Label|HumanTask|Workteam|Workforce|FlowDefinition", "People do not label data here. Use an AWS account."),
    (r"AutoML", "AutoML does not run here. Train one model, or use an AWS account."),
    (
        r"Lineage|Action|Artifact|Association|Context|Experiment|Trial",
        "Lineage is not tracked here. Use an AWS account.",
    ),
    (r"TrainingPlan|ReservedCapacity", "Capacity cannot be reserved here. Use an AWS account."),
    (r"Optimization", "Nothing is compiled here. Use an AWS account."),
    (r"Project|ServicecatalogPortfolio", "Service Catalog is not available here. Use an AWS account."),
    (r"Algorithm|ResourceCatalog|CrossAccountRequest", "Not implemented. Use an AWS account."),
)


def is_answered_by_moto(operation: str, request: Mapping[str, Any]) -> bool:
    """Return whether the request tags a resource of moto, or searches for one."""
    if operation == "Search":
        return request.get("Resource") in _SEARCH_RESOURCES
    return (
        operation in _TAG_OPERATIONS and str(request.get("ResourceArn", "")).split(":")[-1].split("/")[0] in _ARN_TYPES
    )


def find_note(service: str, operation: str) -> str | None:
    """Return the note of an operation that moto handles, or None."""
    return (_METRICS_NOTES if service == "sagemaker-metrics" else _NOTES if service == "sagemaker" else {}).get(
        operation
    )


def find_refusal_reason(service: str, operation: str) -> str:
    """Return the reason and the alternative of a refused operation."""
    del service
    return next(
        (why for pattern, why in _REASONS if re.search(pattern, operation)), "Not implemented. Use an AWS account."
    )


def set_tags(account: str, region: str, arn: str, tags: list[dict[str, str]]) -> None:
    """Set the tags of a resource that moto has just recorded, because moto drops the tags of an experiment."""
    from moto.sagemaker.models import sagemaker_backends

    resource = sagemaker_backends[account][region]._get_resource_from_arn(arn)
    if resource is not None and not resource.tags:
        resource.tags = tags
