"""Inputs of `pipeline`."""

from typing import Annotated, Any

from modules.common import (
    LONGEST_PREFIX,
    LocatedInputs,
    RoleArn,
    RoleInputs,
    VpcConfig,
)
from modules.location import require_key_in_region, require_publisher_role_of_account, require_role_of_account
from modules.pipeline import definition
from modules.schedules import is_schedule, is_time_zone
from modules.subscribers import SubscribedTopic
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    can,
    concat,
    contains,
    difference,
    is_null,
    join,
    jsondecode,
    keys,
    length,
    list_of,
    optional,
    try_,
)
from sustainable_mlops.catalogue.limits import get_limit

#: Suffixes of the names of EventBridge rules.
DATA_ARRIVED, DRIFT, FAILED = "data-arrived", "drift", "failed"
#: Maximum length of a pipeline's name, so that the names of its rules fit.
LONGEST_NAME = get_limit("event_rule_name_characters") - LONGEST_PREFIX - len(f"--{DATA_ARRIVED}")

PipelineName = Annotated[
    str,
    Field(
        pattern=rf"^[a-z][a-z0-9-]{{0,{LONGEST_NAME - 2}}}[a-z0-9]$",
        json_schema_extra=must(
            f"be 2 to {LONGEST_NAME} lower-case letters, digits and hyphens, starting with a letter"
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
    Field(pattern=r"^[^*\\]+$", json_schema_extra=must("be a literal part of a key, without wildcards or backslashes")),
]


ParameterName = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$",
        json_schema_extra=must("be a parameter name with letters, digits and hyphens, as EventBridge requires"),
    ),
]


class DataArrival(ModuleInputs):
    """Trigger by objects that arrive in S3."""

    bucket: BucketName = Field(description="Bucket of the data. It must send events to EventBridge.")
    key_parameter: ParameterName = Field(
        "InputKey", description="Pipeline parameter that receives the key of the object."
    )
    key_prefix: KeyPart = Field(description="Prefix of the objects' keys, such as raw/orders/.")
    key_suffixes: list[KeyPart] = Field(
        default_factory=list,
        description="Suffixes of the objects' keys, such as .csv; one must match. Default: any.",
    )


class DriftAlarm(ModuleInputs):
    """Alarm on drift that starts the pipeline."""

    metric_name: str = Field(
        "DriftingColumns", description="Metric of the drift, which a processing job publishes.", min_length=1
    )
    namespace: str | None = Field(
        None,
        description="Namespace of the metric. Default: `<name_prefix>/drift`. The roles of `access` may publish there.",
        pattern=r"^[^:*][^*]{0,254}$",
        json_schema_extra=must("be the namespace of a metric, without wildcards"),
    )
    parameters: dict[ParameterName, str] = Field(
        default_factory=dict, description="Parameters of the started executions, instead of the pipeline's defaults."
    )
    reason_parameter: ParameterName = Field(
        "StartReason", description="Pipeline parameter that receives the reason of the alarm."
    )
    threshold: float = Field(
        1, description="Value of the metric from which the alarm starts the pipeline, such as drifting columns."
    )
    workload: str = Field(
        description="Value of the metric's dimension Workload.",
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,254}$",
        json_schema_extra=must("be letters, digits, dots, hyphens, underscores and slashes"),
    )

    rules = (rule("threshold", lambda v: v.threshold > 0, "must be above 0, because 0 also starts without any drift"),)


class ScheduleInputs(ModuleInputs):
    """Schedule that starts the pipeline."""

    alias: str | None = Field(
        "live",
        description="Alias of the version to start. The start fails if no version has the alias. Null starts the "
        "latest version.",
        pattern=r"^[a-zA-Z0-9._-]{1,128}$",
        json_schema_extra=must("be letters, digits, dots, hyphens and underscores"),
    )
    expression: str = Field(
        description="Schedule expression of EventBridge Scheduler: cron(0 3 ? * MON *), rate(7 days).",
        pattern=r"^(cron|rate|at)\(.+\)$",
        json_schema_extra=must("be cron(…), rate(…) or at(…)"),
    )
    flexible_window_minutes: int = Field(
        60,
        ge=1,
        le=get_limit("schedule_window_minutes"),
        description="Maximum delay of the start, in minutes. It avoids load peaks on the hour.",
    )
    parameters: dict[str, str] = Field(
        default_factory=dict, description="Parameters of scheduled executions, instead of the pipeline's defaults."
    )
    timezone: str = Field("UTC", description="Time zone of the expression, such as Europe/Stockholm.")

    rules = (
        rule(
            "expression",
            lambda v: is_schedule(v.expression),
            "must be a rate such as rate(7 days), in minutes, hours or days; at(2030-01-31T06:00:00); or a cron "
            "expression of six fields, with ? for the day of the month or of the week.",
        ),
        rule(
            "timezone",
            lambda v: is_time_zone(v.timezone),
            lambda v: f"{v.timezone} is not the name of a time zone; use one such as Europe/Stockholm, or UTC.",
        ),
    )


class StartRetries(ModuleInputs):
    """Retries of a start that SageMaker refuses, for example because of throttling."""

    max_age_seconds: int = Field(
        3600, ge=60, le=get_limit("start_age_seconds"), description="Maximum time of the retries, in seconds."
    )
    max_attempts: int = Field(10, ge=0, le=get_limit("start_attempts"), description="Maximum number of retries.")


class ExistingStarterRole(ModuleInputs):
    """Existing role that starts the pipeline."""

    arn: RoleArn = Field(
        description="ARN of the role. EventBridge and its Scheduler must be able to assume it. It must be able to "
        "start the pipeline and to send to the dead-letter queue."
    )


def _list_undeclared_parameters(v: Any) -> Any:
    """Return the parameters of the inputs that the definition does not declare."""
    return difference(keys(v.parameters), definition.list_parameter_names(v.definition))


def _list_undeclared_in_schedule(v: Any) -> Any:
    """Return the parameters of the schedule that the definition does not declare."""
    return difference(keys(assume_not_null(v.schedule).parameters), definition.list_parameter_names(v.definition))


def _list_undeclared_in_drift(v: Any) -> Any:
    """Return the parameters of the drift alarm that the definition does not declare."""
    drift = assume_not_null(v.drift)
    return difference(
        concat(keys(drift.parameters), [drift.reason_parameter]), definition.list_parameter_names(v.definition)
    )


_NO_TEXTS: list[str] = []


class Inputs(LocatedInputs, RoleInputs):
    """Inputs of `pipeline`."""

    name: PipelineName = Field(description="Short name of the pipeline; its full name is `<name_prefix>-<name>`.")
    data_arrival: DataArrival | None = Field(
        None, description="Start the pipeline when an object arrives in S3. Default: no trigger."
    )
    definition: str = Field(
        description="Definition of the pipeline as JSON, from Pipeline.definition() of the SageMaker SDK.",
    )
    description: str | None = Field(None, description="Description of the pipeline.")
    drift: DriftAlarm | None = Field(
        None, description="Start the pipeline when an alarm on a drift metric goes into ALARM. Default: no alarm."
    )
    existing_starter_role: ExistingStarterRole | None = Field(
        None,
        description="Start the pipeline with this role instead of a new one. It is an object, so that the ARN may be "
        "unknown until apply.",
    )
    failure_topic: SubscribedTopic | None = Field(
        None, description="SNS topic that receives every failed execution. Default: none."
    )
    max_parallel_steps: int = Field(2, ge=1, description="Maximum number of parallel steps of an execution.")
    parameters: dict[str, str] = Field(
        default_factory=dict,
        description="Defaults of the definition's parameters, which override those in the definition. Numbers and "
        "booleans as text.",
    )
    role_arn: RoleArn = Field(
        description="Role of the pipeline. It starts the jobs of the steps and passes their roles."
    )
    schedule: ScheduleInputs | None = Field(
        None, description="Start the pipeline on a schedule. Default: none, because new data is a better trigger."
    )
    start_retries: StartRetries = Field(
        default_factory=StartRetries, description="Retries of a start that SageMaker refuses."
    )
    vpc_config: VpcConfig | None = Field(
        None,
        description="Network of all jobs and models of the steps, except those with a VpcConfig of their own. Set the "
        "same subnets in `access`. Default: the definition as it is.",
    )

    rules = (
        require_role_of_account(),
        require_role_of_account(
            "existing_starter_role", lambda v: list_of(optional(v.existing_starter_role), lambda role: role.arn)
        ),
        require_key_in_region(
            "failure_topic", lambda v: list_of(optional(v.failure_topic), lambda topic: topic.kms_key_arn)
        ),
        require_publisher_role_of_account("failure_topic"),
        rule(
            "schedule",
            lambda v: (
                is_null(v.schedule)
                | ~can(jsondecode(v.definition).Version)
                | (length(_list_undeclared_in_schedule(v)) == 0)
            ),
            lambda v: (
                f"{join(', ', try_(_list_undeclared_in_schedule(v), _NO_TEXTS))} is not a parameter of the definition; "
                "declare it there, or remove it from schedule.parameters"
            ),
        ),
        rule(
            "definition",
            lambda v: can(jsondecode(v.definition)),
            "must be JSON: use the text that Pipeline.definition() returns, or file(…) with it",
        ),
        rule(
            "definition",
            lambda v: (
                ~can(jsondecode(v.definition))
                | (can(jsondecode(v.definition).Version) & can(jsondecode(v.definition).Steps[0].Type))
            ),
            "must have Version and at least one of Steps; use the definition of a pipeline, not of a single step",
        ),
        rule(
            "definition",
            lambda v: (
                ~can(jsondecode(v.definition).Steps[0].Type)
                | (length(definition.list_unknown_step_types(v.definition)) == 0)
            ),
            lambda v: (
                f"{join(', ', try_(definition.list_unknown_step_types(v.definition), _NO_TEXTS))} is not a type of a "
                f"step; use one of {', '.join(definition.STEP_TYPES)}"
            ),
        ),
        rule(
            "definition",
            lambda v: (
                ~can(jsondecode(v.definition).Version)
                | (length(definition.list_undeclared_references(v.definition)) == 0)
            ),
            lambda v: (
                f"{join(', ', try_(definition.list_undeclared_references(v.definition), _NO_TEXTS))} is used, but not "
                "declared in Parameters; declare it"
            ),
        ),
        rule(
            "parameters",
            lambda v: ~can(jsondecode(v.definition).Version) | (length(_list_undeclared_parameters(v)) == 0),
            lambda v: (
                f"{join(', ', _list_undeclared_parameters(v))} is not a parameter of the definition, which declares "
                f"{join(', ', definition.list_parameter_names(v.definition))}; declare it there, or remove it here"
            ),
        ),
        rule(
            "parameters",
            lambda v: (
                ~can(jsondecode(v.definition).Version)
                | (length(definition.find_mistyped_parameters(v.definition, v.parameters)) == 0)
            ),
            lambda v: (
                f"{join(', ', definition.find_mistyped_parameters(v.definition, v.parameters))} must be a whole "
                "number, a number, true or false, as its Type in the definition says"
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
        rule(
            "drift",
            lambda v: (
                is_null(v.drift) | ~can(jsondecode(v.definition).Version) | (length(_list_undeclared_in_drift(v)) == 0)
            ),
            lambda v: (
                f"{join(', ', try_(_list_undeclared_in_drift(v), _NO_TEXTS))} is not a parameter of the definition; "
                "declare it there, or correct reason_parameter and drift.parameters"
            ),
        ),
    )
