"""What a deployment configuration asks for, and what SageMaker refuses in one (API reference, DeploymentConfig)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.resources import Fields

#: Variant to instances.
InstanceCounts = Mapping[str, int]

ALL_AT_ONCE, CANARY, LINEAR = "ALL_AT_ONCE", "CANARY", "LINEAR"
_STEP = {CANARY: "CanarySize", LINEAR: "LinearStepSize"}
#: What a size may come to, in percent of a variant's instances.
_BOUNDS = {"CanarySize": (0, 50), "LinearStepSize": (10, 50), "MaximumBatchSize": (5, 50)}


@dataclass(frozen=True)
class DeploymentPolicy:
    """A deployment configuration, which may be empty: all at once and without baking."""

    config: Fields

    @property
    def has_update_policy(self) -> bool:
        """Whether it says how to update, not only when to go back."""
        return "RollingUpdatePolicy" in self.config or "BlueGreenUpdatePolicy" in self.config

    @property
    def rolling(self) -> Fields | None:
        """The policy of a rolling deployment."""
        return self.config.get("RollingUpdatePolicy")

    @property
    def blue_green(self) -> Fields:
        """The policy of a blue/green deployment."""
        policy: Fields = self.config.get("BlueGreenUpdatePolicy") or {"TrafficRoutingConfiguration": {}}
        return policy

    @property
    def routing(self) -> Fields:
        """How a blue/green deployment shifts the traffic."""
        routing: Fields = self.blue_green["TrafficRoutingConfiguration"]
        return routing

    @property
    def routing_type(self) -> str:
        """ALL_AT_ONCE, CANARY or LINEAR."""
        return str(self.routing.get("Type", ALL_AT_ONCE))

    @property
    def step_size(self) -> tuple[str, Fields] | None:
        """The member that says the size of a step, and its value; None where all goes at once."""
        if self.rolling is not None:
            return "MaximumBatchSize", self.rolling["MaximumBatchSize"]
        return (
            None
            if self.routing_type == ALL_AT_ONCE
            else (_STEP[self.routing_type], self.routing[_STEP[self.routing_type]])
        )

    @property
    def wait_seconds(self) -> int:
        """How long each step is watched."""
        return int((self.rolling or self.routing).get("WaitIntervalInSeconds", 0))

    @property
    def termination_seconds(self) -> int:
        """How long the old fleet stays once it has no traffic any more."""
        return int(self.blue_green.get("TerminationWaitInSeconds", 0))

    @property
    def timeout_seconds(self) -> int | None:
        """How long the deployment may take; None: as long as it takes."""
        seconds: int | None = (self.rolling or self.blue_green).get("MaximumExecutionTimeoutInSeconds")
        return seconds

    @property
    def alarms(self) -> list[str]:
        """The names of the alarms that roll it back."""
        alarms = self.config.get("AutoRollbackConfiguration", {}).get("Alarms", ())
        return [alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm]


def count_instances(size: Fields, count: int) -> int:
    """How many of so many instances a CapacitySize means: whole ones, rounded down, but one at least (assumed)."""
    value = int(size["Value"])
    return max(value if size["Type"] == "INSTANCE_COUNT" else count * value // 100, 1)


def check_policy(policy: DeploymentPolicy, counts: InstanceCounts, *, serverless: bool) -> None:
    """Raise ValidationError for what SageMaker does not do with variants of so many instances.

    AWS publishes the rules, not the wording.
    """
    config = policy.config
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        raise ValidationError("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.")
    if policy.rolling is not None:
        _check_rolling(counts, serverless=serverless)
    else:
        _check_routing(policy)
    timeout = policy.timeout_seconds
    if timeout is not None and timeout <= (waits := policy.wait_seconds + policy.termination_seconds):
        raise ValidationError(
            f"MaximumExecutionTimeoutInSeconds ({timeout}) must be larger than the total waiting time specified in "
            f"TerminationWaitInSeconds and WaitIntervalInSeconds ({waits})."
        )
    if policy.step_size is not None and not serverless:
        _check_step(*policy.step_size, counts)


def _check_rolling(counts: InstanceCounts, *, serverless: bool) -> None:
    if serverless:
        raise ValidationError("RollingUpdatePolicy is not supported for serverless endpoints.")
    if len(counts) > 1:
        raise ValidationError("RollingUpdatePolicy is not supported for endpoints with multiple variants.")


def _check_routing(policy: DeploymentPolicy) -> None:
    for kind, member in _STEP.items():
        if policy.routing_type == kind and member not in policy.routing:
            raise ValidationError(f"{member} must be specified for traffic routing type {kind}.")
        if policy.routing_type != kind and member in policy.routing:
            raise ValidationError(f"{member} can only be specified for traffic routing type {kind}.")


def _check_step(member: str, size: Fields, counts: InstanceCounts) -> None:
    least, most = _BOUNDS[member]
    for variant, count in counts.items():
        if not count:
            continue
        percent = 100 * count_instances(size, count) / count
        stated = size["Value"] if size["Type"] == "CAPACITY_PERCENT" else percent
        if not least <= stated <= most or percent > most:
            bounds = f"between {least}% and {most}%" if least else f"less than or equal to {most}%"
            raise ValidationError(
                f"{member} must be {bounds} of the total instance count, which is {count} for variant {variant}."
            )


def check_variant_names(old: Iterable[str], new: Iterable[str]) -> None:
    """Raise ValidationError where a deployment's variants are not those that serve."""
    if sorted(old) != sorted(new):
        raise ValidationError(
            "The new endpoint configuration must have the same variant names as the old endpoint configuration "
            f"({', '.join(sorted(old))}) when an update policy is specified."
        )
