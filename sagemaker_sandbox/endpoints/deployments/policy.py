"""Deployment configurations and their validation (API reference, DeploymentConfig)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.resources import Fields

#: Variant name to number of instances.
InstanceCounts = Mapping[str, int]

ALL_AT_ONCE, CANARY, LINEAR = "ALL_AT_ONCE", "CANARY", "LINEAR"
_STEP_MEMBERS = {CANARY: "CanarySize", LINEAR: "LinearStepSize"}
#: Allowed step sizes, in percent of the instances of a variant.
_BOUNDS = {"CanarySize": (0, 50), "LinearStepSize": (10, 50), "MaximumBatchSize": (5, 50)}


@dataclass(frozen=True)
class DeploymentPolicy:
    """A deployment configuration. An empty one moves all traffic in one step, without baking."""

    config: Fields

    @property
    def has_update_policy(self) -> bool:
        """True if the configuration states how to update, not only when to roll back."""
        return "RollingUpdatePolicy" in self.config or "BlueGreenUpdatePolicy" in self.config

    @property
    def rolling(self) -> Fields | None:
        """Policy of a rolling deployment, if any."""
        return self.config.get("RollingUpdatePolicy")

    @property
    def blue_green(self) -> Fields:
        """Policy of a blue/green deployment."""
        policy: Fields = self.config.get("BlueGreenUpdatePolicy") or {"TrafficRoutingConfiguration": {}}
        return policy

    @property
    def routing(self) -> Fields:
        """Traffic routing of a blue/green deployment."""
        routing: Fields = self.blue_green["TrafficRoutingConfiguration"]
        return routing

    @property
    def routing_type(self) -> str:
        """ALL_AT_ONCE, CANARY or LINEAR."""
        return str(self.routing.get("Type", ALL_AT_ONCE))

    @property
    def step_size(self) -> tuple[str, Fields] | None:
        """Name and value of the member with the step size; None if all traffic shifts in one step."""
        if self.rolling is not None:
            return "MaximumBatchSize", self.rolling["MaximumBatchSize"]
        return (
            None
            if self.routing_type == ALL_AT_ONCE
            else (_STEP_MEMBERS[self.routing_type], self.routing[_STEP_MEMBERS[self.routing_type]])
        )

    @property
    def wait_seconds(self) -> int:
        """Baking time of each step."""
        return int((self.rolling or self.routing).get("WaitIntervalInSeconds", 0))

    @property
    def termination_seconds(self) -> int:
        """Time that the old fleet remains without traffic."""
        return int(self.blue_green.get("TerminationWaitInSeconds", 0))

    @property
    def timeout_seconds(self) -> int | None:
        """Longest duration of the deployment; None means no limit."""
        seconds: int | None = (self.rolling or self.blue_green).get("MaximumExecutionTimeoutInSeconds")
        return seconds

    @property
    def alarms(self) -> list[str]:
        """Names of the alarms that roll back the deployment."""
        alarms = self.config.get("AutoRollbackConfiguration", {}).get("Alarms", ())
        return [alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm]


def count_instances(size: Fields, count: int) -> int:
    """Return the number of instances of a CapacitySize: rounded down, but at least one (assumed)."""
    value = int(size["Value"])
    return max(value if size["Type"] == "INSTANCE_COUNT" else count * value // 100, 1)


def check_policy(policy: DeploymentPolicy, counts: InstanceCounts, *, is_serverless: bool) -> None:
    """Raise ValidationError for a policy that SageMaker does not support for these variants.

    AWS publishes the rules, but not the wording.
    """
    config = policy.config
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        raise ValidationError("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.")
    if policy.rolling is not None:
        _check_rolling(counts, is_serverless=is_serverless)
    else:
        _check_routing(policy)
    timeout = policy.timeout_seconds
    if timeout is not None and timeout <= (waits := policy.wait_seconds + policy.termination_seconds):
        raise ValidationError(
            f"MaximumExecutionTimeoutInSeconds ({timeout}) must be larger than the total waiting time specified in "
            f"TerminationWaitInSeconds and WaitIntervalInSeconds ({waits})."
        )
    if policy.step_size is not None and not is_serverless:
        _check_step(*policy.step_size, counts)


def _check_rolling(counts: InstanceCounts, *, is_serverless: bool) -> None:
    if is_serverless:
        raise ValidationError("RollingUpdatePolicy is not supported for serverless endpoints.")
    if len(counts) > 1:
        raise ValidationError("RollingUpdatePolicy is not supported for endpoints with multiple variants.")


def _check_routing(policy: DeploymentPolicy) -> None:
    for kind, member in _STEP_MEMBERS.items():
        if policy.routing_type == kind and member not in policy.routing:
            raise ValidationError(f"{member} must be specified for traffic routing type {kind}.")
        if policy.routing_type != kind and member in policy.routing:
            raise ValidationError(f"{member} can only be specified for traffic routing type {kind}.")


def _check_step(member: str, size: Fields, counts: InstanceCounts) -> None:
    min_percent, max_percent = _BOUNDS[member]
    for variant, count in counts.items():
        if not count:
            continue
        percent = 100 * count_instances(size, count) / count
        step_percent = size["Value"] if size["Type"] == "CAPACITY_PERCENT" else percent
        if not min_percent <= step_percent <= max_percent or percent > max_percent:
            bounds = (
                f"between {min_percent}% and {max_percent}%" if min_percent else f"less than or equal to {max_percent}%"
            )
            raise ValidationError(
                f"{member} must be {bounds} of the total instance count, which is {count} for variant {variant}."
            )


def check_variant_names(old: Iterable[str], new: Iterable[str]) -> None:
    """Raise ValidationError if a deployment changes the set of variant names."""
    if sorted(old) != sorted(new):
        raise ValidationError(
            "The new endpoint configuration must have the same variant names as the old endpoint configuration "
            f"({', '.join(sorted(old))}) when an update policy is specified."
        )
