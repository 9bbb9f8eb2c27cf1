"""Inputs of `pipeline`."""

from typing import Annotated, Any

from modules.common import LONGEST_PREFIX, ExistingPublisherRole, KmsKeyArn, LocatedInputs, RoleArn, RoleInputs
from modules.pipeline import definition
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    can,
    contains,
    difference,
    is_null,
    join,
    jsondecode,
    keys,
    length,
)
from sustainable_mlops.catalogue.limits import limit

#: What the rules' names end with.
DATA_ARRIVED, FAILED = "data-arrived", "failed"
#: What a rule's name leaves for the pipeline's own.
LONGEST_NAME = limit("event_rule_name_characters") - LONGEST_PREFIX - len(f"--{DATA_ARRIVED}")

PipelineName = Annotated[
    str,
    Field(
        pattern=rf"^[a-z][a-z0-9-]{{0,{LONGEST_NAME - 2}}}[a-z0-9]$",
        json_schema_extra=must(
            f"be 2 to {LONGEST_NAME} lower-case letters, digits and hyphens, and start with a letter"
        ),
    ),
]
BucketName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        json_schema_extra=must("be the name of a bucket, without s3:// or a path"),
    ),
]
KeyPart = Annotated[
    str,
    Field(
        pattern=r"^[^*\\]+$", json_schema_extra=must("be part of a key as it stands, without wildcards or backslashes")
    ),
]


class DataArrival(ModuleInputs):
    """Objects whose arrival starts the pipeline."""

    bucket: BucketName = Field(description="Bucket of the data; it must send its events to EventBridge.")
    key_parameter: str = Field(
        "InputKey",
        description="Parameter of the pipeline that takes the key of the object.",
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$",
        json_schema_extra=must("be a parameter's name of letters, digits and hyphens, as EventBridge takes it"),
    )
    key_prefix: KeyPart = Field(description="Start of the objects' keys, such as raw/orders/.")
    key_suffixes: list[KeyPart] = Field(
        default_factory=list,
        description="Ends of the objects' keys, of which one must match, such as .csv; any by default.",
    )


class ScheduleInputs(ModuleInputs):
    """A clock that starts the pipeline."""

    alias: str | None = Field(
        "live",
        description="Alias of the version to start; without a version of this alias the start fails. Null starts the "
        "latest version.",
        pattern=r"^[a-zA-Z0-9._-]{1,128}$",
        json_schema_extra=must("be letters, digits, dots, hyphens and underscores"),
    )
    expression: str = Field(
        description="When, as EventBridge Scheduler takes it: cron(0 3 ? * MON *), rate(7 days).",
        pattern=r"^(cron|rate|at)\(.+\)$",
        json_schema_extra=must("be cron(…), rate(…) or at(…)"),
    )
    flexible_window_minutes: int = Field(
        60,
        ge=1,
        le=limit("schedule_window_minutes"),
        description="How much later it may start: jobs that all start on the hour make peaks.",
    )
    parameters: dict[str, str] = Field(
        default_factory=dict, description="Parameters of these starts, instead of the pipeline's defaults."
    )
    timezone: str = Field("UTC", description="Time zone of the expression, such as Europe/Stockholm.")


class StartRetries(ModuleInputs):
    """How long a start is tried that SageMaker refuses, as when it is asked too often."""

    max_age_seconds: int = Field(
        3600, ge=60, le=limit("start_age_seconds"), description="For how long at most, in seconds."
    )
    max_attempts: int = Field(10, ge=0, le=limit("start_attempts"), description="How often at most.")


class FailureTopic(ModuleInputs):
    """A topic that is told of failed runs."""

    existing_role: ExistingPublisherRole | None = Field(
        None, description="Publish with this role instead of a new one."
    )
    kms_key_arn: KmsKeyArn = Field(description="Key of the topic. Its policy must let this account's roles use it.")


class ExistingStarterRole(ModuleInputs):
    """A role that someone else looks after."""

    arn: RoleArn = Field(
        description="ARN of the role; EventBridge and its Scheduler must be able to take it, and it to start the "
        "pipeline and to send to the dead-letter queue."
    )


def _undeclared_parameters(v: Any) -> Any:
    """Parameters that are given and that the definition does not declare."""
    return difference(keys(v.parameters), definition.list_parameter_names(v.definition))


class Inputs(LocatedInputs, RoleInputs):
    """Inputs of `pipeline`."""

    name: PipelineName = Field(description="What the pipeline does; its name is `<name_prefix>-<name>`.")
    data_arrival: DataArrival | None = Field(
        None, description="Start the pipeline when an object arrives in S3; by default nothing starts it."
    )
    definition: str = Field(
        description="The pipeline's definition, as JSON: what Pipeline.definition() of the SageMaker SDK gives.",
    )
    description: str | None = Field(None, description="What the pipeline is for.")
    existing_starter_role: ExistingStarterRole | None = Field(
        None,
        description="Start the pipeline by this role instead of a new one. An object, so that it may hold the ARN of a "
        "role that is made in the same apply.",
    )
    failure_topic: FailureTopic | None = Field(
        None, description="SNS topic told of every run that fails; none by default."
    )
    max_parallel_steps: int = Field(2, ge=1, description="Most steps of a run at once.")
    parameters: dict[str, str] = Field(
        default_factory=dict,
        description="Defaults of the definition's parameters, instead of those that it says; numbers and booleans as "
        "text.",
    )
    role_arn: RoleArn = Field(description="Role of the pipeline: it starts the steps' jobs and hands on their roles.")
    schedule: ScheduleInputs | None = Field(
        None, description="Start the pipeline by the clock; none by default, since new data is the better reason."
    )
    start_retries: StartRetries = Field(
        default_factory=StartRetries, description="How long a start is tried that SageMaker refuses."
    )

    rules = (
        rule(
            "definition",
            lambda v: can(jsondecode(v.definition)),
            "must be JSON: give the text that Pipeline.definition() returns, or file(…) of it",
        ),
        rule(
            "definition",
            lambda v: (
                ~can(jsondecode(v.definition))
                | (can(jsondecode(v.definition).Version) & can(jsondecode(v.definition).Steps[0].Type))
            ),
            "must have Version and at least one of Steps; a pipeline's definition has both, a single step's has not",
        ),
        rule(
            "parameters",
            lambda v: ~can(jsondecode(v.definition).Version) | (length(_undeclared_parameters(v)) == 0),
            lambda v: (
                f"{join(', ', _undeclared_parameters(v))} is no parameter of the definition, which declares "
                f"{join(', ', definition.list_parameter_names(v.definition))}; declare it there, or leave it out here"
            ),
        ),
        rule(
            "parameters",
            lambda v: (
                ~can(jsondecode(v.definition).Version)
                | (length(definition.find_mistyped_parameters(v.definition, v.parameters)) == 0)
            ),
            lambda v: (
                f"{join(', ', definition.find_mistyped_parameters(v.definition, v.parameters))} must be a whole number, a number, true "
                "or false, as its Type in the definition says"
            ),
        ),
        rule(
            "data_arrival",
            lambda v: (
                is_null(v.data_arrival)
                | ~can(jsondecode(v.definition).Version)
                | contains(definition.list_parameter_names(v.definition), assume_not_null(v.data_arrival).key_parameter)
            ),
            lambda v: (
                f"key_parameter must be a parameter of the definition, which declares "
                f"{join(', ', definition.list_parameter_names(v.definition))}"
            ),
        ),
    )
