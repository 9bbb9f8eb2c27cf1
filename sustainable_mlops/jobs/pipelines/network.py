"""Network of a pipeline's jobs. A definition contains none, so that all environments can share it."""

from collections.abc import Mapping
from typing import Any

from sustainable_mlops.aws.vpc_steps import OBJECTS_IN_VPC, PROCESSING_STEPS, VPC_STEPS
from sustainable_mlops.jobs.pipelines.parameters import Definition
from sustainable_mlops.jobs.platform import Vpc


def add_network(definition: Definition, vpc: Vpc | None) -> Definition:
    """Return the definition with its jobs and models in a network, unless they have their own.

    The module `pipeline` does the same with its input `vpc_config`.
    """
    if vpc is None:
        return definition
    network = {"VpcConfig": vpc.to_request()}
    return definition | {"Steps": [_add_network_to_step(step, network) for step in definition["Steps"]]}


def _add_network_to_step(step: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step in the network, with the steps of its branches."""
    if "Arguments" not in step:
        return dict(step)
    arguments = dict(step["Arguments"])
    if step["Type"] in VPC_STEPS:
        arguments = {**network, **arguments}
    if step["Type"] in PROCESSING_STEPS:
        arguments.setdefault("NetworkConfig", {})
    for name in OBJECTS_IN_VPC:
        if name in arguments:
            arguments[name] = {**network, **arguments[name]}
    for branch in ("IfSteps", "ElseSteps"):
        if branch in arguments:
            arguments[branch] = [_add_network_to_step(inner, network) for inner in arguments[branch]]
    return {**step, "Arguments": arguments}
