"""Passwords and tokens in the settings of models, notebooks and jobs.

Everyone who may describe a model or job can read its environment, hyperparameters and scripts. They are also in the
Terraform state and in logs. No message here shows a value.
"""

import base64
import binascii
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.rules.account import credentials
from sustainable_mlops.rules.attributes import NOT_KNOWN
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_JOB, TUNING_JOB, find_pipeline, locate_step
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, failure, rule, success, unknown_result

#: Attributes with a script in base64.
_SCRIPTS = {
    "aws_sagemaker_notebook_instance_lifecycle_configuration": ("on_create", "on_start"),
    "aws_sagemaker_studio_lifecycle_config": ("studio_lifecycle_config_content",),
}
_CHECKED_TYPES = (
    "aws_sagemaker_algorithm", "aws_sagemaker_app_image_config", "aws_sagemaker_data_quality_job_definition",
    "aws_sagemaker_model", "aws_sagemaker_monitoring_schedule", PIPELINE, TRAINING_JOB, TUNING_JOB, *_SCRIPTS,
)  # fmt: skip
#: Maps of settings. If one is unknown as a whole, it may contain a secret.
_MAPS = frozenset({"environment", "hyper_parameters", "static_hyper_parameters", "container_environment_variables"})
#: Attributes without secrets: descriptions for people, and values that the provider computes.
_IGNORED_ATTRIBUTES = frozenset(
    {"arn", "execution_role_arn", "id", "name", "pipeline_name", "region", "role_arn", "tags", "tags_all"}
)
#: Arguments with nested steps of a pipeline, which are checked on their own.
_STEPS = frozenset({"IfSteps", "ElseSteps", "ForEachBody"})
_DEFINITION = "pipeline_definition"
#: Locations of scripts and definitions, which have no name.
_UNNAMED = frozenset({_DEFINITION, *(name for names in _SCRIPTS.values() for name in names)})
_FIX = "Store it in Secrets Manager, pass its ARN, and read it when the container or script starts. Rotate it now."


class _Setting(NamedTuple):
    """One value with its name and its location."""

    name: str
    value: Any
    path: str


@rule(
    id="SUS_LITERAL_SECRET",
    severity=Severity.FAIL,
    title="An environment variable, hyperparameter or script must not contain a password or token",
    problem="An environment variable, hyperparameter or script contains a password or token",
    practices=("76",),
    fix=_FIX,
    types=_CHECKED_TYPES,
)
def literal_secret(plan: Plan, resource: Resource) -> RuleResults:
    """Check the token formats of services, and names that denote credentials; see `credentials`."""
    pipeline = find_pipeline(plan, resource)
    if pipeline is not None and pipeline.definition is UNKNOWN and not isinstance(resource.get(_DEFINITION), str):
        yield unknown_result(pipeline.unreadable_reason, _DEFINITION)
        return
    settings = _list_settings(plan, resource)
    results = [result for setting in settings for result in _check_setting(setting)]
    yield from results
    if settings and not results and all(_is_text(setting.value) for setting in settings):
        yield success()


def _check_setting(setting: _Setting) -> Iterator[RuleResult]:
    name, value, path = setting
    if value is UNKNOWN:
        if path in _UNNAMED or name in _MAPS or credentials.is_credential_name(name):
            yield unknown_result(f"{_describe_name(name)} is {NOT_KNOWN}", path)
        return
    if isinstance(value, Sensitive):
        return  # SUS_SECRET_IN_PLAIN_TEXT reports it
    credential_texts = credentials.find_credentials(value)
    yield from (
        failure(f"{_describe_name(name)} contains {credential} in plain text", path) for credential in credential_texts
    )
    if credential_texts or not credentials.is_credential_name(name) or not credentials.is_literal(value):
        return
    masked_name = credentials.mask_name(name)
    if credentials.may_be_secret_name(name, value):
        yield unknown_result(f"{masked_name} contains a secret or the name of one: the plan does not show which", path)
    else:
        yield failure(f"{masked_name} has a literal value", path)


def _describe_name(name: str) -> str:
    return credentials.mask_name(name) if name else "its text"


@rule(
    id="SUS_SECRET_IN_PLAIN_TEXT",
    severity=Severity.WARN,
    title="A sensitive value should not be passed in plain text",
    problem="A sensitive value is passed in plain text",
    practices=("76",),
    fix=_FIX,
    types=_CHECKED_TYPES,
)
def secret_in_plain_text(plan: Plan, resource: Resource) -> RuleResults:
    """Check sensitive values. Terraform hides them, but AWS shows them to everyone who may describe the resource."""
    settings = _list_settings(plan, resource)
    for name, value, path in settings:
        if isinstance(value, Sensitive):
            yield failure(f"{_describe_name(name)} is sensitive, but SageMaker stores and shows it in plain text", path)
    if settings and all(_is_text(setting.value) for setting in settings):
        yield success()


def _list_settings(plan: Plan, resource: Resource) -> tuple[_Setting, ...]:
    cache = _create_cache(plan)
    settings = cache.get(id(resource))
    if settings is None:
        settings = cache[id(resource)] = tuple(_read_settings(plan, resource))
    return settings


@lru_cache(maxsize=2)
def _create_cache(_: Plan) -> dict[int, tuple[_Setting, ...]]:
    """Return the cache of settings of a plan, by resource: two rules check the same settings."""
    return {}


def _read_settings(plan: Plan, resource: Resource) -> Iterator[_Setting]:
    if resource.type == PIPELINE:
        yield from _list_pipeline_settings(plan, resource)
        return
    scripts = _SCRIPTS.get(resource.type, ())
    for name, value in (resource.after or {}).items():
        if name in scripts and value is not None:
            yield _Setting("", _decode_script(value), name)
        elif name not in _IGNORED_ATTRIBUTES:
            yield from _list_values(name, value, name)


def _list_pipeline_settings(plan: Plan, resource: Resource) -> Iterator[_Setting]:
    """Yield the arguments of each step and the defaults of the parameters, or the whole text if it cannot be parsed."""
    pipeline = find_pipeline(plan, resource)
    if pipeline is None or pipeline.steps is UNKNOWN:
        text = resource.get(_DEFINITION)
        yield _Setting("", text if isinstance(text, str) else UNKNOWN, _DEFINITION)
        return
    for step in pipeline.steps:
        yield from _list_values("", step.arguments, locate_step(step))
    for parameter in pipeline.parameters.values():
        if isinstance(parameter.default, str):
            yield _Setting(parameter.name, parameter.default, f"Parameters.{credentials.mask_name(parameter.name)}")


def _list_values(name: str, value: Any, path: str) -> Iterator[_Setting]:
    """Yield every text, sensitive and unknown value below `value`, and the values after a `--name` in a list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _STEPS:
                yield from _list_values(key, inner, f"{path}.{credentials.mask_name(key)}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _list_values("", inner, f"{path}.{position}")
        for option, argument in pairwise(value):
            if _is_text(option) and _is_text(argument) and option.startswith("--") and not argument.startswith("-"):
                yield _Setting(option.lstrip("-"), argument, path)
    elif value is UNKNOWN or isinstance(value, str):
        yield _Setting(name, value, path)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Sensitive)


def _decode_script(value: Any) -> Any:
    """Return the decoded script, or the text itself if it is not base64."""
    if not _is_text(value):
        return value if isinstance(value, Sensitive) else UNKNOWN
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value
