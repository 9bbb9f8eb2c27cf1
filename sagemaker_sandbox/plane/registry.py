"""The one list of SageMaker's parts, and what each operation of the service does here."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from botocore import xform_name

from sagemaker_sandbox.autoscaling.actions import ScheduledActions
from sagemaker_sandbox.autoscaling.activities import ScalingActivities
from sagemaker_sandbox.autoscaling.policies import ScalingPolicies
from sagemaker_sandbox.autoscaling.scaling import RegionScaling
from sagemaker_sandbox.autoscaling.targets import ScalableTargets
from sagemaker_sandbox.featurestore.api import Records
from sagemaker_sandbox.featurestore.store import FeatureStore
from sagemaker_sandbox.hosting.capture import Captures
from sagemaker_sandbox.hosting.logs import EndpointLogs
from sagemaker_sandbox.parts.handlers import OperationSupport, SupportLevel
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, ServicePart
from sagemaker_sandbox.plane import moto_operations
from sagemaker_sandbox.sagemaker.async_inference import AsyncInference
from sagemaker_sandbox.sagemaker.compilation_jobs import CompilationJobs
from sagemaker_sandbox.sagemaker.endpoint_configs import EndpointConfigs
from sagemaker_sandbox.sagemaker.endpoints import Endpoints
from sagemaker_sandbox.sagemaker.feature_groups import FeatureGroups
from sagemaker_sandbox.sagemaker.fleets import Fleets
from sagemaker_sandbox.sagemaker.hosting import Hosting
from sagemaker_sandbox.sagemaker.model_packages import ModelPackageGroups, ModelPackages
from sagemaker_sandbox.sagemaker.models import Models
from sagemaker_sandbox.sagemaker.pipeline_executions import PipelineExecutions
from sagemaker_sandbox.sagemaker.pipelines import Pipelines
from sagemaker_sandbox.sagemaker.processing_jobs import ProcessingJobs
from sagemaker_sandbox.sagemaker.recommendations import InferenceRecommendationsJobs
from sagemaker_sandbox.sagemaker.search import Search
from sagemaker_sandbox.sagemaker.tags import Tags
from sagemaker_sandbox.sagemaker.training_jobs import TrainingJobs
from sagemaker_sandbox.sagemaker.transform_jobs import TransformJobs
from sagemaker_sandbox.sagemaker.tuning_jobs import HyperParameterTuningJobs
from sustainable_mlops.aws.service_model import service_model

#: In the order in which they are made: each may depend on those before it, and is closed before them.
PARTS: tuple[type[ServicePart], ...] = (
    ModelPackageGroups,
    ModelPackages,
    Models,
    EndpointConfigs,
    EndpointLogs,
    Captures,
    Fleets,
    Endpoints,
    AsyncInference,
    Hosting,
    ScalingActivities,
    ScalableTargets,
    ScalingPolicies,
    ScheduledActions,
    RegionScaling,
    FeatureGroups,
    FeatureStore,
    Records,
    TrainingJobs,
    HyperParameterTuningJobs,
    ProcessingJobs,
    TransformJobs,
    CompilationJobs,
    InferenceRecommendationsJobs,
    Pipelines,
    PipelineExecutions,
    Search,
    Tags,
)

#: botocore's names of the services that a part may answer.
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
    """What there is of one operation of a service; `part` is None where no part of the sandbox answers it."""

    service: str
    name: str
    declared: OperationSupport
    part: type[ServicePart] | None = None

    @property
    def method(self) -> str:
        """The name of the method that answers it."""
        return xform_name(self.name)


class Parts:
    """All parts of one Region of one account, each told the others that it depends on."""

    def __init__(self, region: AccountRegion) -> None:
        self.region = region
        self._made: dict[type[ServicePart], ServicePart] = {}
        for kind in PARTS:
            wanted = {name: of for name, of in get_type_hints(kind.__init__).items() if name != "return"}
            self._made[kind] = kind(**{name: self._given(of) for name, of in wanted.items()})

    def _given(self, kind: Any) -> Any:
        if kind is AccountRegion:
            return self.region
        return self.families if kind == list[ResourceFamily] else self._made[kind]

    def of(self, kind: type[_Part]) -> _Part:
        """The part of that class."""
        part = self._made[kind]
        assert isinstance(part, kind)
        return part

    @property
    def families(self) -> list[ResourceFamily]:
        """Every family of resources."""
        return [part for part in self._made.values() if isinstance(part, ResourceFamily)]

    def inventory(self) -> dict[str, list[str]]:
        """Type to the names of what is left."""
        with self.region.lock:
            return {kind: names for part in self._made.values() for kind, names in part.list_remaining().items()}

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs: plain data by the part's name. Called while nothing changes."""
        return {kind.__name__: part.snapshot() for kind, part in self._made.items()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Bring back what was kept."""
        with self.region.lock:
            for kind, part in self._made.items():
                if kept.get(kind.__name__) is not None:
                    part.restore(kept[kind.__name__])

    def close(self) -> None:
        """End jobs and workers, and write what is still buffered; what depends on a part ends before it."""
        with self.region.lock:  # what is to begin has begun by now, or is refused
            self.region.closing.set()
        for part in reversed(self._made.values()):
            try:
                part.close()
            except Exception:  # the others must still end what they run
                traceback.print_exc()
        self.region.join()


class Coverage:
    """Every operation of SageMaker's services, and what it does here."""

    @cached_property
    def operations(self) -> dict[tuple[str, str], Operation]:
        """Service and operation to what there is of it: ours, moto's, or refused."""
        found: dict[tuple[str, str], Operation] = {}
        for service in SERVICES:
            for name in service_model(service).operation_names:
                found[service, name] = self._ours(service, name) or _others(service, name)
        return found

    def find(self, service: str, name: str) -> Operation | None:
        """None for what the service itself has not."""
        return self.operations.get((service, name))

    @staticmethod
    def _ours(service: str, name: str) -> Operation | None:
        for part in PARTS:
            if part.service != service:
                continue
            declared = getattr(getattr(part, xform_name(name), None), "declared", None)
            if declared is not None:
                return Operation(service, name, declared, part)
            if name in part.refused_operations:
                return Operation(service, name, OperationSupport(SupportLevel.REFUSED, part.refused_operations[name]), part)
        return None


def _others(service: str, name: str) -> Operation:
    note = moto_operations.note(service, name)
    if note is not None:
        return Operation(service, name, OperationSupport(SupportLevel.RECORDED, note))
    return Operation(service, name, OperationSupport(SupportLevel.REFUSED, moto_operations.reason(service, name)))


COVERAGE = Coverage()
