"""Passwords and tokens in what models, notebooks and jobs are started with.

What stands in an environment, a hyperparameter or a script is shown to whoever may describe the model or the job, is in
the state, and comes out in logs. Nothing here shows a value.
"""

import base64
import binascii
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.rules.account import credentials
from sustainable_mlops.rules.jobs import PIPELINE, TRAINING_JOB, TUNING_JOB, pipeline_of, place
from sustainable_mlops.rules.reading import NOT_KNOWN
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, failed, passed, rule, unknown

#: Attributes that hold a script in base64.
_SCRIPTS = {
    "aws_sagemaker_notebook_instance_lifecycle_configuration": ("on_create", "on_start"),
    "aws_sagemaker_studio_lifecycle_config": ("studio_lifecycle_config_content",),
}
_STARTS = (
    "aws_sagemaker_algorithm", "aws_sagemaker_app_image_config", "aws_sagemaker_data_quality_job_definition",
    "aws_sagemaker_model", "aws_sagemaker_monitoring_schedule", PIPELINE, TRAINING_JOB, TUNING_JOB, *_SCRIPTS,
)  # fmt: skip
#: What such settings stand in: where all of it is not known, neither is whether there is a secret.
_MAPS = frozenset({"environment", "hyper_parameters", "static_hyper_parameters", "container_environment_variables"})
#: Attributes that people write for people, or that the provider makes.
_ASIDE = frozenset(
    {"arn", "execution_role_arn", "id", "name", "pipeline_name", "region", "role_arn", "tags", "tags_all"}
)
#: What holds other steps of a pipeline, which are looked at by themselves.
_STEPS = frozenset({"IfSteps", "ElseSteps", "ForEachBody"})
_DEFINITION = "pipeline_definition"
#: The places of scripts and of definitions, which have no name.
_UNNAMED = frozenset({_DEFINITION, *(name for names in _SCRIPTS.values() for name in names)})
_FIX = "Keep it in Secrets Manager, hand over its ARN, and read it when the container or script starts; change it now."


class _Setting(NamedTuple):
    """One value, its name, and where it stands."""

    name: str
    value: Any
    path: str


@rule(
    id="SUS_LITERAL_SECRET",
    severity=Severity.FAIL,
    title="No password or token stands in an environment, a hyperparameter or a script",
    practices=("76",),
    fix=_FIX,
    types=_STARTS,
)
def literal_secret(plan: Plan, resource: Resource) -> Verdicts:
    """By the shapes that services give their tokens, and by names that say so; see `credentials`."""
    pipeline = pipeline_of(plan, resource)
    if pipeline is not None and pipeline.definition is UNKNOWN and not isinstance(resource.get(_DEFINITION), str):
        yield unknown(pipeline.unknown, _DEFINITION)
        return
    settings = list(_settings(plan, resource))
    verdicts = [verdict for setting in settings for verdict in _judge(setting)]
    yield from verdicts
    if settings and not verdicts and all(_is_text(one.value) for one in settings):
        yield passed()


def _judge(setting: _Setting) -> Iterator[Verdict]:
    name, value, path = setting
    if value is UNKNOWN:
        if path in _UNNAMED or name in _MAPS or credentials.named(name):
            yield unknown(f"{_holder(name)} is {NOT_KNOWN}", path)
        return
    if isinstance(value, Sensitive):
        return  # SUS_SECRET_IN_PLAIN_TEXT says it
    found = list(credentials.within(value))
    yield from (failed(f"{_holder(name)} holds {what}, as it is", path) for what in found)
    if found or not credentials.named(name) or not credentials.literal(value):
        return
    shown = credentials.shown(name)
    if credentials.may_be_a_name(name, value):
        yield unknown(f"whether {shown} holds a secret or the name of one cannot be told", path)
    else:
        yield failed(f"{shown} holds a literal value", path)


def _holder(name: str) -> str:
    return credentials.shown(name) if name else "its text"


@rule(
    id="SUS_SECRET_IN_PLAIN_TEXT",
    severity=Severity.WARN,
    title="What is marked as sensitive is not handed over in plain text",
    practices=("76",),
    fix=_FIX,
    types=_STARTS,
)
def secret_in_plain_text(plan: Plan, resource: Resource) -> Verdicts:
    """Terraform hides the value; AWS shows it to whoever may describe the model, job or pipeline."""
    settings = list(_settings(plan, resource))
    for name, value, path in settings:
        if isinstance(value, Sensitive):
            yield failed(f"{_holder(name)} is sensitive, and SageMaker keeps and shows it in plain text", path)
    if settings and all(_is_text(one.value) for one in settings):
        yield passed()


def _settings(plan: Plan, resource: Resource) -> Iterator[_Setting]:
    if resource.type == PIPELINE:
        yield from _of_pipeline(plan, resource)
        return
    scripts = _SCRIPTS.get(resource.type, ())
    for name, value in (resource.after or {}).items():
        if name in scripts and value is not None:
            yield _Setting("", _decoded(value), name)
        elif name not in _ASIDE:
            yield from _below(name, value, name)


def _of_pipeline(plan: Plan, resource: Resource) -> Iterator[_Setting]:
    """The arguments of each step, and the defaults of the parameters; else the text as it is."""
    pipeline = pipeline_of(plan, resource)
    if pipeline is None or pipeline.steps is UNKNOWN:
        text = resource.get(_DEFINITION)
        yield _Setting("", text if isinstance(text, str) else UNKNOWN, _DEFINITION)
        return
    for step in pipeline.steps:
        yield from _below("", step.arguments, place(step))
    for parameter in pipeline.parameters.values():
        if isinstance(parameter.default, str):
            yield _Setting(parameter.name, parameter.default, f"Parameters.{credentials.shown(parameter.name)}")


def _below(name: str, value: Any, path: str) -> Iterator[_Setting]:
    """Every text, sensitive and unknown value below `value`, and what follows a `--name` of a list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _STEPS:
                yield from _below(key, inner, f"{path}.{credentials.shown(key)}")
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _below("", inner, f"{path}.{position}")
        for option, given in pairwise(value):
            if _is_text(option) and _is_text(given) and option.startswith("--") and not given.startswith("-"):
                yield _Setting(option.lstrip("-"), given, path)
    elif value is UNKNOWN or isinstance(value, str):
        yield _Setting(name, value, path)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Sensitive)


def _decoded(value: Any) -> Any:
    """The script; as it is where it is no base64."""
    if not _is_text(value):
        return value if isinstance(value, Sensitive) else UNKNOWN
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value
