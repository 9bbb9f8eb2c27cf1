"""Definition of a pipeline: its parameters, and its text for SageMaker."""

from collections.abc import Mapping
from typing import Any

from modules.common import VpcConfig
from sustainable_mlops.authoring.expressions import (
    all_groups,
    can,
    contains,
    difference,
    get,
    jsondecode,
    jsonencode,
    length,
    list_of,
    map_of,
    match,
    merge,
    optional,
    when,
)
from sustainable_mlops.aws.vpc_steps import OBJECTS_IN_VPC, PROCESSING_STEPS, VPC_STEPS

TEXT, BOOLEAN, INTEGER = "String", "Boolean", "Integer"
#: Step types. Source: StepTypeEnum of the SageMaker Python SDK 3; a test compares them.
STEP_TYPES = (
    "AutoML",
    "Callback",
    "ClarifyCheck",
    "Cleanup",
    "Condition",
    "EMR",
    "EMRServerless",
    "Endpoint",
    "EndpointConfig",
    "Fail",
    "ForEach",
    "InferenceComponent",
    "Job",
    "Lambda",
    "Lineage",
    "Model",
    "Processing",
    "QualityCheck",
    "RegisterModel",
    "Training",
    "Transform",
    "Tuning",
)
#: Reference to a parameter in a definition, as `jsonencode` writes it. \x22 is a quotation mark: checkov does not parse
#: an escaped one within a template.
_REFERENCE = r"\x22Get\x22:\x22Parameters\.([^\x22]+)\x22"
_WHOLE = "-?(0|[1-9][0-9]*)"
#: Pattern that matches each job and model of a definition once: a required argument, as `jsonencode` writes it.
_JOB_OR_MODEL = r"(\x22(AlgorithmSpecification|AppSpecification)\x22:|\x22Type\x22:\x22Model\x22)"


def _list_parameters(definition: str) -> Any:
    """Return the parameters of a definition; empty if it declares none."""
    nothing: list[Any] = []
    return get(jsondecode(definition), "Parameters", nothing)


def list_parameter_names(definition: str) -> list[str]:
    """Return the names of the parameters of a definition."""
    return list_of(_list_parameters(definition), lambda parameter: parameter.Name)


def list_unknown_step_types(definition: str) -> Any:
    """Return the step types of a definition that SageMaker does not have."""
    return difference(list_of(jsondecode(definition).Steps, lambda step: step.Type), STEP_TYPES)


def list_undeclared_references(definition: str) -> Any:
    """Return the parameters that a definition uses and does not declare."""
    references = list_of(all_groups(_REFERENCE, jsonencode(jsondecode(definition))), lambda groups: groups[0])
    return difference(references, list_parameter_names(definition))


def find_mistyped_parameters(definition: str, values: Mapping[str, str]) -> list[str]:
    """Return the names of the parameters whose text is not a value of their type."""
    return list_of(
        _list_parameters(definition),
        lambda parameter: parameter.Name,
        lambda parameter: (
            contains(list_of(values, lambda name, _: name), parameter.Name)
            & (parameter.Type != TEXT)
            & ~can(match(_build_value_pattern(parameter.Type), values[parameter.Name]))
        ),
    )


def _build_value_pattern(type_: str) -> str:
    """Return the pattern of the JSON values of a type."""
    number = when(type_ == INTEGER, f"^{_WHOLE}$", rf"^{_WHOLE}(\.[0-9]+)?([eE][-+]?[0-9]+)?$")
    return when(type_ == BOOLEAN, "^(true|false)$", number)


def render_definition(
    definition: str, defaults: Mapping[str, str], vpc_config: VpcConfig | None, network: Any, arguments_in_vpc: Any
) -> str:
    """Return the definition with these defaults, converted to the types of the parameters. Keys are sorted.

    With `vpc_config`, the jobs and models of its steps are in this network. The last two arguments are locals with the
    results of `build_network` and `build_arguments_in_vpc`.
    """
    parameters = list_of(
        _list_parameters(definition),
        lambda parameter: merge(
            parameter,
            map_of(
                defaults,
                lambda _, value: jsondecode(when(parameter.Type == TEXT, jsonencode(value), value)),
                where=lambda name, _: name == parameter.Name,
                key=lambda _name, _value: "DefaultValue",
            ),
        ),
    )
    steps = map_of(
        optional(vpc_config),
        lambda _vpc_config: _place_steps(jsondecode(definition).Steps, network, arguments_in_vpc),
        key=lambda _vpc_config: "Steps",
    )
    return jsonencode(merge(jsondecode(definition), {"Parameters": parameters}, steps))


def build_network(vpc_config: VpcConfig | None) -> dict[str, Any]:
    """Return the member `VpcConfig` of a job's request; empty without a network."""
    return map_of(
        optional(vpc_config),
        lambda vpc_config: {"SecurityGroupIds": vpc_config.security_group_ids, "Subnets": vpc_config.subnets},
        key=lambda _vpc_config: "VpcConfig",
    )


def build_arguments_in_vpc(network: Any) -> dict[str, Any]:
    """Return the arguments that the network adds to a step, by its type."""
    return {
        **{kind: {"NetworkConfig": network} for kind in PROCESSING_STEPS},
        **dict.fromkeys(VPC_STEPS, network),
    }


def _place_steps(steps: Any, network: Any, arguments_in_vpc: Any) -> Any:
    """Return the steps and the steps of their conditions, in the network unless they have their own.

    Terraform has no recursion, so this covers two levels. `reaches_all_jobs` is false for jobs on deeper levels.
    """
    return list_of(
        steps,
        lambda step: merge(
            step,
            map_of(
                step,
                lambda _, arguments: merge(
                    *_list_placed_arguments(step.Type, arguments, network, arguments_in_vpc),
                    _place_branches(arguments, network, arguments_in_vpc),
                ),
                where=lambda part, _: part == "Arguments",
                key=lambda part, _: part,
            ),
        ),
    )


def _place_branches(arguments: Any, network: Any, arguments_in_vpc: Any) -> Any:
    """Return the branches of a condition, with their steps in the network."""
    return map_of(
        arguments,
        lambda _, branch: list_of(branch, lambda inner: _place_inner_step(inner, network, arguments_in_vpc)),
        where=lambda outcome, _: contains(("IfSteps", "ElseSteps"), outcome),
        key=lambda outcome, _: outcome,
    )


def _place_inner_step(inner: Any, network: Any, arguments_in_vpc: Any) -> Any:
    return merge(
        inner,
        map_of(
            inner,
            lambda _, values: merge(*_list_placed_arguments(inner.Type, values, network, arguments_in_vpc)),
            where=lambda member, _: member == "Arguments",
            key=lambda member, _: member,
        ),
    )


def _list_placed_arguments(kind: Any, arguments: Any, network: Any, arguments_in_vpc: Any) -> tuple[Any, ...]:
    """Return the parts of the arguments of a step: its network, its own arguments, and its objects with the network."""
    nothing: dict[str, Any] = {}
    return (
        get(arguments_in_vpc, kind, nothing),
        arguments,
        map_of(
            arguments,
            lambda _, value: merge(network, value),
            where=lambda name, _: contains(OBJECTS_IN_VPC, name),
            key=lambda name, _: name,
        ),
    )


def reaches_all_jobs(text: str) -> Any:
    """Return the condition that the jobs and models of a rendered definition have a `VpcConfig`."""
    return length(all_groups(r"(\x22VpcConfig\x22:)", text)) >= length(all_groups(_JOB_OR_MODEL, text))
