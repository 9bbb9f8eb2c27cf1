"""The registry of SageMaker's parts and of its operations."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from botocore import xform_name

from sagemaker_sandbox.control_plane import moto_operations
from sagemaker_sandbox.endpoints.async_inference import AsyncInference
from sagemaker_sandbox.endpoints.autoscaling.actions import ScheduledActions
from sagemaker_sandbox.endpoints.autoscaling.activities import ScalingActivities
from sagemaker_sandbox.endpoints.autoscaling.policies import ScalingPolicies
from sagemaker_sandbox.endpoints.autoscaling.scaling import RegionScaling
from sagemaker_sandbox.endpoints.autoscaling.targets import ScalableTargets
from sagemaker_sandbox.endpoints.endpoint_configs import EndpointConfigs
from sagemaker_sandbox.endpoints.endpoints import Endpoints
from sagemaker_sandbox.endpoints.fleets import Fleets
from sagemaker_sandbox.endpoints.hosting.capture import CaptureBuffer
from sagemaker_sandbox.endpoints.hosting.logs import EndpointLogs
from sagemaker_sandbox.endpoints.invocations import EndpointInvocations
from sagemaker_sandbox.feature_store.api import FeatureRecords
from sagemaker_sandbox.feature_store.feature_groups import FeatureGroups
from sagemaker_sandbox.feature_store.store import RecordStores
from sagemaker_sandbox.jobs.compilation_jobs import CompilationJobs
from sagemaker_sandbox.jobs.instance_periods import InstancePeriods
from sagemaker_sandbox.jobs.processing_jobs import ProcessingJobs
from sagemaker_sandbox.jobs.training_jobs import TrainingJobs
from sagemaker_sandbox.jobs.transform_jobs import TransformJobs
from sagemaker_sandbox.jobs.tuning_jobs import HyperParameterTuningJobs
from sagemaker_sandbox.pipelines.pipeline_executions import PipelineExecutions
from sagemaker_sandbox.pipelines.pipelines import SageMakerPipelines
from sagemaker_sandbox.recommendations.recommendation_jobs import InferenceRecommendationsJobs
from sagemaker_sandbox.resources.handlers import OperationSupport, SupportLevel
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import ResourceFamily, ServicePart
from sagemaker_sandbox.sagemaker.mlflow_apps import MlflowApps
from sagemaker_sandbox.sagemaker.model_packages import ModelPackageGroups, ModelPackages
from sagemaker_sandbox.sagemaker.models import Models
from sagemaker_sandbox.sagemaker.projects import Projects
from sagemaker_sandbox.sagemaker.search import ResourceSearch
from sagemaker_sandbox.sagemaker.stored_resources import STORED_FAMILIES
from sagemaker_sandbox.sagemaker.tags import ResourceTags
from sagemaker_sandbox.sagemaker.tracking_servers import TrackingServers
from sustainable_mlops.aws.service_model import load_service_model

#: Parts in the order of their creation. A part may depend on parts before it, and is closed before them.
PARTS: tuple[type[ServicePart], ...] = (
    ModelPackageGroups,
    ModelPackages,
    Models,
    EndpointConfigs,
    EndpointLogs,
    CaptureBuffer,
    Fleets,
    Endpoints,
    AsyncInference,
    EndpointInvocations,
    ScalingActivities,
    ScalableTargets,
    ScalingPolicies,
    ScheduledActions,
    RegionScaling,
    FeatureGroups,
    RecordStores,
    FeatureRecords,
    TrainingJobs,
    HyperParameterTuningJobs,
    ProcessingJobs,
    TransformJobs,
    InstancePeriods,
    CompilationJobs,
    InferenceRecommendationsJobs,
    SageMakerPipelines,
    PipelineExecutions,
    TrackingServers,
    MlflowApps,
    Projects,
    *STORED_FAMILIES,
    ResourceSearch,
    ResourceTags,
)

#: botocore's names of the services with parts.
SERVICES = (
    "sagemaker",
    "sagemaker-runtime",
    "sagemaker-featurestore-runtime",
    "sagemaker-metrics",
    "application-autoscaling",
)

_Part = TypeVar("_Part", bound=ServicePart)


@dataclass(frozen=True)
class Operation:
    """One operation of a service. `part` is None if no part of the sandbox handles it."""

    service: str
    name: str
    support: OperationSupport
    part: type[ServicePart] | None = None

    @property
    def method(self) -> str:
        """Name of the method that handles the operation."""
        return xform_name(self.name)


class RegionParts:
    """All parts of one Region of one account. Each receives the parts that it depends on."""

    def __init__(self, region: AccountRegion) -> None:
        self.region = region
        self._parts: dict[type[ServicePart], ServicePart] = {}
        for kind in PARTS:
            dependencies = {
                name: dependency for name, dependency in get_type_hints(kind.__init__).items() if name != "return"
            }
            self._parts[kind] = kind(
                **{name: self._find_dependency(dependency) for name, dependency in dependencies.items()}
            )

    def _find_dependency(self, kind: Any) -> Any:
        if kind is AccountRegion:
            return self.region
        return self.families if kind == list[ResourceFamily] else self._parts[kind]

    def get(self, kind: type[_Part]) -> _Part:
        """Return the part of this class."""
        part = self._parts[kind]
        assert isinstance(part, kind)
        return part

    @property
    def families(self) -> list[ResourceFamily]:
        """All families of resources."""
        return [part for part in self._parts.values() if isinstance(part, ResourceFamily)]

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the names of the remaining resources by type."""
        with self.region.lock:
            return {kind: names for part in self._parts.values() for kind, names in part.list_remaining().items()}

    def snapshot(self) -> dict[str, Any]:
        """Return plain data for `restore`, by the name of the part. Nothing may change meanwhile."""
        return {kind.__name__: part.snapshot() for kind, part in self._parts.items()}

    def restore(self, snapshots: Mapping[str, Any]) -> None:
        """Restore a snapshot."""
        with self.region.lock:
            for kind, part in self._parts.items():
                if snapshots.get(kind.__name__) is not None:
                    part.restore(snapshots[kind.__name__])

    def close(self) -> None:
        """End jobs and workers, and write buffered data. A part ends before the parts that it depends on."""
        with self.region.lock:  # background work has started by now, or is refused
            self.region.closing.set()
        for part in reversed(self._parts.values()):
            try:
                part.close()
            except Exception:  # the other parts must still close
                traceback.print_exc()
        self.region.join()


class OperationCatalogue:
    """Every operation of SageMaker's services, and its support."""

    @cached_property
    def operations(self) -> dict[tuple[str, str], Operation]:
        """Operations by service and name."""
        operations: dict[tuple[str, str], Operation] = {}
        for service in SERVICES:
            for name in load_service_model(service).operation_names:
                operations[service, name] = self._find_own(service, name) or _find_other(service, name)
        return operations

    def find(self, service: str, name: str) -> Operation | None:
        """Return an operation, or None if the service does not have it."""
        return self.operations.get((service, name))

    @staticmethod
    def _find_own(service: str, name: str) -> Operation | None:
        for part in PARTS:
            if part.service != service:
                continue
            support = getattr(getattr(part, xform_name(name), None), "support", None)
            if support is not None:
                return Operation(service, name, support, part)
            if name in part.refused_operations:
                return Operation(
                    service, name, OperationSupport(SupportLevel.REFUSED, part.refused_operations[name]), part
                )
        return None


def _find_other(service: str, name: str) -> Operation:
    note = moto_operations.find_note(service, name)
    if note is not None:
        return Operation(service, name, OperationSupport(SupportLevel.STORED, note))
    return Operation(
        service, name, OperationSupport(SupportLevel.REFUSED, moto_operations.find_refusal_reason(service, name))
    )


OPERATIONS = OperationCatalogue()
