"""Scalable targets with their policies and scheduled actions, as plain data."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import NamedTuple

from sagemaker_sandbox.endpoints.autoscaling.dimensions import (
    DIMENSIONS,
    NAMESPACE,
    EndpointVariant,
    ScalableDimension,
    parse_resource_id,
)
from sagemaker_sandbox.resources.resources import Fields

SUSPENSION_MEMBERS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class TargetKey(NamedTuple):
    """Identity of a target."""

    resource_id: str
    dimension: str

    @classmethod
    def from_request(cls, request: Fields) -> "TargetKey":
        """Return the key of the target that a request names."""
        return cls(request["ResourceId"], request["ScalableDimension"])

    def to_fields(self) -> Fields:
        """Return the members that identify the target in every response."""
        return {"ServiceNamespace": NAMESPACE, "ResourceId": self.resource_id, "ScalableDimension": self.dimension}

    def __str__(self) -> str:
        return f"service namespace: {NAMESPACE}, resource ID: {self.resource_id}, scalable dimension: {self.dimension}"


@dataclass
class CapacityMove:
    """Latest capacity change of a policy: the activity, and the capacity before it."""

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
    #: Alarms of target tracking, in the format of DescribeScalingPolicies.
    alarms: list[Fields] = field(default_factory=list)
    last_scale_out: CapacityMove | None = None
    last_scale_in: CapacityMove | None = None

    @property
    def is_target_tracking(self) -> bool:
        """True for target tracking, False for step scaling."""
        return self.type == "TargetTrackingScaling"

    def describe(self) -> Fields:
        """Return the members of DescribeScalingPolicies, without target and alarms."""
        return {
            "PolicyARN": self.arn,
            "PolicyName": self.name,
            "PolicyType": self.type,
            f"{self.type}PolicyConfiguration": self.configuration,
            "CreationTime": self.created,
        }


@dataclass
class ScheduledAction:
    """A scheduled action: new bounds for its target at scheduled times."""

    name: str
    arn: str
    schedule: str
    time_zone: str
    min_capacity: int | None
    max_capacity: int | None
    start_time: datetime | None
    end_time: datetime | None
    created: datetime
    #: Start of the first rate period.
    rate_start: datetime

    def describe(self) -> Fields:
        """Return the members of DescribeScheduledActions, without the target."""
        bounds = {"MinCapacity": self.min_capacity, "MaxCapacity": self.max_capacity}
        members = {
            "ScheduledActionName": self.name,
            "ScheduledActionARN": self.arn,
            "Schedule": self.schedule,
            "Timezone": self.time_zone or None,
            "StartTime": self.start_time,
            "EndTime": self.end_time,
            "CreationTime": self.created,
            "ScalableTargetAction": {member: value for member, value in bounds.items() if value is not None},
        }
        return {member: value for member, value in members.items() if value is not None}


@dataclass
class ScalableTarget:
    """A variant whose instances or provisioned concurrency scale between two bounds."""

    key: TargetKey
    arn: str
    min_capacity: int
    max_capacity: int
    suspended_state: dict[str, bool]
    created: datetime
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, ScalingPolicy] = field(default_factory=dict)
    actions: dict[str, ScheduledAction] = field(default_factory=dict)
    #: True while the capacity is outside the bounds of a scheduled action because the endpoint is being updated.
    is_out_of_bounds: bool = False

    @property
    def dimension(self) -> ScalableDimension:
        """Scalable dimension of the target."""
        return DIMENSIONS[self.key.dimension]

    @property
    def variant(self) -> EndpointVariant:
        """Variant of the target."""
        variant = parse_resource_id(self.key.resource_id)
        assert variant is not None
        return variant

    def describe(self, role: str) -> Fields:
        """Return the members of DescribeScalableTargets."""
        return self.key.to_fields() | {
            "ScalableTargetARN": self.arn,
            "MinCapacity": self.min_capacity,
            "MaxCapacity": self.max_capacity,
            "RoleARN": role,
            "SuspendedState": self.suspended_state,
            "CreationTime": self.created,
        }

    def to_data(self) -> Fields:
        """Return the target as plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Fields) -> "ScalableTarget":
        """Build a target from the result of `to_data`."""
        policies = {name: _build_policy(policy) for name, policy in data["policies"].items()}
        actions = {name: ScheduledAction(**action) for name, action in data["actions"].items()}
        return cls(**data | {"key": TargetKey(*data["key"]), "policies": policies, "actions": actions})


def _build_policy(data: Fields) -> ScalingPolicy:
    moves = {
        member: CapacityMove(**data[member])
        for member in ("last_scale_out", "last_scale_in")
        if data[member] is not None
    }
    return ScalingPolicy(**data | moves)
