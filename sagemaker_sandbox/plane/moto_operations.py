"""Operations that moto answers and the sandbox passes to it: it keeps what it is told and gives it back.

Named one by one, so that a new version of moto brings nothing in unseen. Everything else that no part answers is
refused, with the reason by what the operation is about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recorded:
    """Operations of moto on one kind of resource.

    `lists` names the List operation, its list and the member that names one: what is left in the inventory.
    """

    operations: tuple[str, ...]
    note: str
    arn_type: str = ""
    lists: tuple[str, str, str] | None = None


def _crud(noun: str, *verbs: str, plural: str = "") -> tuple[str, ...]:
    return tuple(f"{verb}{plural or noun + 's' if verb == 'List' else noun}" for verb in verbs)


RECORDED: tuple[Recorded, ...] = (
    Recorded(
        _crud("Experiment", "Create", "Describe", "List", "Delete"),
        "Kept; nothing is tracked by itself.",
        "experiment",
        ("ListExperiments", "ExperimentSummaries", "ExperimentName"),
    ),
    Recorded(
        _crud("Trial", "Create", "Describe", "List", "Delete"),
        "Kept; nothing is tracked by itself.",
        "experiment-trial",
        ("ListTrials", "TrialSummaries", "TrialName"),
    ),
    Recorded(
        (
            *_crud("TrialComponent", "Create", "Describe", "Update", "List", "Delete"),
            "AssociateTrialComponent",
            "DisassociateTrialComponent",
        ),
        "Kept; jobs make none by themselves.",
        "experiment-trial-component",
        ("ListTrialComponents", "TrialComponentSummaries", "TrialComponentName"),
    ),
    Recorded(
        _crud("NotebookInstance", "Create", "Describe", "Start", "Stop", "Delete", "List"),
        "Kept; no notebook runs.",
        "notebook-instance",
        ("ListNotebookInstances", "NotebookInstances", "NotebookInstanceName"),
    ),
    Recorded(
        _crud("NotebookInstanceLifecycleConfig", "Create", "Describe", "Delete"),
        "Kept; no notebook runs.",
        "notebook-instance-lifecycle-configuration",
    ),
    Recorded(
        _crud("Domain", "Create", "Describe", "Delete", "List"),
        "Kept; no Studio runs.",
        "domain",
        ("ListDomains", "Domains", "DomainName"),
    ),
    Recorded(
        (*_crud("ModelCard", "Create", "Describe", "Update", "Delete", "List"), "ListModelCardVersions"),
        "Kept with its versions; no export.",
        "model-card",
        ("ListModelCards", "ModelCardSummaries", "ModelCardName"),
    ),
    Recorded(
        (*_crud("Cluster", "Create", "Describe", "Delete", "List"), "DescribeClusterNode", "ListClusterNodes"),
        "Kept; no node runs.",
        "cluster",
        ("ListClusters", "ClusterSummaries", "ClusterName"),
    ),
    Recorded(
        ("CreateAutoMLJobV2", "DescribeAutoMLJobV2", "ListAutoMLJobs", "StopAutoMLJob"),
        "Kept; nothing is trained.",
        "automl-job",
        ("ListAutoMLJobs", "AutoMLJobSummaries", "AutoMLJobName"),
    ),
    Recorded(
        _crud("CompilationJob", "Create", "Describe", "List", "Delete"),
        "Kept; nothing is compiled.",
        "compilation-job",
        ("ListCompilationJobs", "CompilationJobSummaries", "CompilationJobName"),
    ),
    *(
        Recorded(
            _crud(f"{kind}JobDefinition", "Create", "Describe", "List", "Delete"),
            "Kept; nothing is monitored.",
            arn_type,
            (f"List{kind}JobDefinitions", "JobDefinitionSummaries", "MonitoringJobDefinitionName"),
        )
        for kind, arn_type in (
            ("DataQuality", "data-quality-job-definition"),
            ("ModelBias", "model-bias-job-definition"),
            ("ModelExplainability", "model-explainability-job-definition"),
            ("ModelQuality", "model-quality-job-definition"),
        )
    ),
)

_SEARCHED = ("Experiment", "ExperimentTrial", "ExperimentTrialComponent")
_TAGGING = ("AddTags", "ListTags", "DeleteTags")
_TYPES = frozenset(recorded.arn_type for recorded in RECORDED if recorded.arn_type)

_METRICS = {"BatchPutMetrics": "Kept on trial components that were made by CreateTrialComponent."}

_BY_NAME = {operation: recorded.note for recorded in RECORDED for operation in recorded.operations}

#: What an operation's name holds, to why it is refused and what to do instead; the first that matches counts.
_REASONS: tuple[tuple[str, str], ...] = (
    (
        r"EdgeP|EdgeD|DeviceFleet|Device|StageDevice",
        "AWS has ended Edge Manager: deploy with IoT Greengrass.",
    ),
    (r"Cluster|ComputeQuota|UltraServer", "No HyperPod cluster runs here: use an account."),
    (r"InferenceComponent", "Not built: deploy a model for each endpoint."),
    (r"InferenceExperiment", "Not built: compare two endpoints, or use an account."),
    (
        r"AIBenchmark|AIRecommend|AIWorkload",
        "Nothing is measured on AWS's machines here: use an account.",
    ),
    (r"Monitoring", "Not built: nothing is captured or compared here; use an account."),
    (
        r"Domain|UserProfile|Space|App|Studio|PresignedUrl|Notebook|CodeRepository|Image",
        "No Studio or notebook runs here: use an account.",
    ),
    (r"Label|HumanTask|Workteam|Workforce|FlowDefinition", "No people work here: use an account."),
    (r"AutoML", "Nothing is searched for here: train a candidate, or use an account."),
    (r"Lineage|Action|Artifact|Association|Context|Experiment|Trial", "Lineage is not tracked here: use an account."),
    (r"TrainingPlan|ReservedCapacity", "Capacity cannot be reserved here: use an account."),
    (r"Optimization", "Nothing is compiled here: use an account."),
    (r"Project|ServicecatalogPortfolio", "No Service Catalog here: use an account."),
    (r"Algorithm|ResourceCatalog|CrossAccountRequest", "Not built: use an account."),
)


def is_about(operation: str, request: Mapping[str, Any]) -> bool:
    """Whether it is about the tags of what moto keeps, or searches it."""
    if operation == "Search":
        return request.get("Resource") in _SEARCHED
    return operation in _TAGGING and str(request.get("ResourceArn", "")).split(":")[-1].split("/")[0] in _TYPES


def note(service: str, operation: str) -> str | None:
    """What moto does of an operation that it answers; None for all others."""
    return (_METRICS if service == "sagemaker-metrics" else _BY_NAME if service == "sagemaker" else {}).get(operation)


def reason(service: str, operation: str) -> str:
    """Why an operation is refused, and what to do instead."""
    del service
    return next((why for pattern, why in _REASONS if re.search(pattern, operation)), "Not built: use an account.")
