"""A scalable target, and its policies and scheduled actions, as they are kept: plain data."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import NamedTuple

from sagemaker_sandbox.autoscaling.dimensions import (
    DIMENSIONS,
    NAMESPACE,
    Dimension,
    EndpointVariant,
    parse_resource_id,
)
from sagemaker_sandbox.parts.resources import Fields

SUSPENSION_MEMBERS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class TargetKey(NamedTuple):
    """What tells one target from another."""

    resource_id: str
    dimension: str

    @classmethod
    def from_request(cls, request: Fields) -> "TargetKey":
        """The target that a request names."""
        return cls(request["ResourceId"], request["ScalableDimension"])

    def to_fields(self) -> Fields:
        """The members that name it in every answer."""
        return {"ServiceNamespace": NAMESPACE, "ResourceId": self.resource_id, "ScalableDimension": self.dimension}

    def __str__(self) -> str:
        return f"service namespace: {NAMESPACE}, resource ID: {self.resource_id}, scalable dimension: {self.dimension}"


@dataclass
class CapacityMove:
    """The last time that a policy moved the capacity: by which activity, and from where."""

    activity: str
    previous_capacity: int


@dataclass
class ScalingPolicy:
    """A scaling policy."""

    name: str
    arn: str
    type: str
    configuration: Fields
    created: datetime
    #: Those that target tracking has made, as DescribeScalingPolicies tells them.
    alarms: list[Fields] = field(default_factory=list)
    last_scale_out: CapacityMove | None = None
    last_scale_in: CapacityMove | None = None

    @property
    def is_target_tracking(self) -> bool:
        """Whether it is one of target tracking, else of steps."""
        return self.type == "TargetTrackingScaling"

    def describe(self) -> Fields:
        """What DescribeScalingPolicies tells of it, but for its target and alarms."""
        return {
            "PolicyARN": self.arn,
            "PolicyName": self.name,
            "PolicyType": self.type,
            f"{self.type}PolicyConfiguration": self.configuration,
            "CreationTime": self.created,
        }


@dataclass
class ScheduledAction:
    """A scheduled action: new bounds for its target, at its times."""

    name: str
    arn: str
    schedule: str
    time_zone: str
    min_capacity: int | None
    max_capacity: int | None
    start_time: datetime | None
    end_time: datetime | None
    created: datetime
    #: Since when its rate counts.
    rate_start: datetime

    def describe(self) -> Fields:
        """What DescribeScheduledActions tells of it, but for its target."""
        bounds = {"MinCapacity": self.min_capacity, "MaxCapacity": self.max_capacity}
        told = {
            "ScheduledActionName": self.name,
            "ScheduledActionARN": self.arn,
            "Schedule": self.schedule,
            "Timezone": self.time_zone or None,
            "StartTime": self.start_time,
            "EndTime": self.end_time,
            "CreationTime": self.created,
            "ScalableTargetAction": {member: value for member, value in bounds.items() if value is not None},
        }
        return {member: value for member, value in told.items() if value is not None}


@dataclass
class ScalableTarget:
    """A variant whose instances or provisioned concurrency are scaled between two bounds."""

    key: TargetKey
    arn: str
    min_capacity: int
    max_capacity: int
    suspended_state: dict[str, bool]
    created: datetime
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, ScalingPolicy] = field(default_factory=dict)
    actions: dict[str, ScheduledAction] = field(default_factory=dict)
    #: Whether a scheduled action could not move the capacity into its bounds yet, as the endpoint was being updated.
    is_out_of_bounds: bool = False

    @property
    def dimension(self) -> Dimension:
        """What of the variant is scaled."""
        return DIMENSIONS[self.key.dimension]

    @property
    def variant(self) -> EndpointVariant:
        """The variant."""
        found = parse_resource_id(self.key.resource_id)
        assert found is not None
        return found

    def describe(self, role: str) -> Fields:
        """What DescribeScalableTargets tells of it."""
        return self.key.to_fields() | {
            "ScalableTargetARN": self.arn,
            "MinCapacity": self.min_capacity,
            "MaxCapacity": self.max_capacity,
            "RoleARN": role,
            "SuspendedState": self.suspended_state,
            "CreationTime": self.created,
        }

    def to_data(self) -> Fields:
        """All of it as plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Fields) -> "ScalableTarget":
        """What `data` was taken from."""
        policies = {name: _policy(policy) for name, policy in data["policies"].items()}
        actions = {name: ScheduledAction(**action) for name, action in data["actions"].items()}
        return cls(**data | {"key": TargetKey(*data["key"]), "policies": policies, "actions": actions})


def _policy(data: Fields) -> ScalingPolicy:
    moves = {
        member: CapacityMove(**data[member])
        for member in ("last_scale_out", "last_scale_in")
        if data[member] is not None
    }
    return ScalingPolicy(**data | moves)
