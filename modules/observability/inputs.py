"""Inputs of `observability`."""

from typing import Annotated, Literal

from modules.common import ExistingPublisherRole, KmsKeyArn, LocatedInputs, LogRetentionDays, RoleInputs
from modules.endpoints.inputs import VARIANT
from modules.observability import alarm_catalogue, notifications
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.choice import one_of
from sustainable_mlops.authoring.expressions import (
    can,
    coalesce,
    contains,
    distinct,
    every,
    is_null,
    length,
    list_of,
    match,
    truncate,
)
from sustainable_mlops.catalogue.limits import serverless_memory_mb

#: Log groups of what SageMaker runs that is no endpoint: one set of an account and Region.
JOB_LOGS = {
    f"/aws/sagemaker/{jobs}"
    for jobs in ("InferenceRecommendationsJobs", "ProcessingJobs", "TrainingJobs", "TransformJobs")
}

EndpointKey = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]{0,62}$",
        json_schema_extra=must("be 1 to 63 lower-case letters, digits and underscores, and start with a letter"),
    ),
]
VariantName = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$",
        json_schema_extra=must("be the name of a variant: 1 to 63 letters, digits and hyphens"),
    ),
]
LogGroupName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_/.#-]{1,512}$",
        json_schema_extra=must("be the name of a log group, such as /aws/sagemaker/TrainingJobs"),
    ),
]
AlarmName = Annotated[str, one_of(alarm_catalogue.ALARMS)]
EventName = Annotated[str, one_of(notifications.NAMES)]
#: So much of an endpoint's name is in the names of its rules, which end in what they wait for.
RULE_NAME_CHARACTERS = 59
#: Nothing; a message that it would be deleted; or it is deleted.
IdleStop = Literal["off", "report", "delete"]


class WatchedEndpoint(ModuleInputs):
    """An endpoint to watch, made elsewhere."""

    name: str = Field(
        description="Its name, as metrics have it.",
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$",
        json_schema_extra=must("be the name of an endpoint: 1 to 63 letters, digits and hyphens"),
    )
    kind: alarm_catalogue.EndpointKind = Field(description="What it runs on: realtime, async or serverless.")
    variants: list[VariantName] = Field(
        [VARIANT],
        min_length=1,
        max_length=10,
        description="All of its variants, shadows too, which are on the same type of instance.",
    )
    instance_type: str | None = Field(None, description="Type of its instances, where it has some.")
    memory_mb: int | None = Field(None, description="Memory of a worker, where it is serverless.")
    provisioned_concurrency: int = Field(0, ge=0, le=200, description="Workers kept ready, where it is serverless.")
    latency_slo_ms: int | None = Field(
        None,
        ge=1,
        description="Within how many milliseconds nine of ten answers have to be there; no alarm by default.",
    )
    backlog_slo_seconds: int = Field(
        3600, ge=60, description="How long a request may wait, where it is asynchronous, in seconds."
    )
    deployment_minutes: int = Field(
        15,
        ge=1,
        le=240,
        description="How long after the last sign of a deployment nobody is alarmed of its health: longer than the "
        "longest of its steps, of which the endpoint's wait_seconds and bake_seconds are a part.",
    )
    idle_stop: IdleStop | None = Field(
        None, description="What becomes of it when it is idle, where not as idle_stop below says; realtime alone."
    )

    rules = (
        rule(
            "variants",
            lambda v: length(distinct(v.variants)) == length(v.variants),
            "two variants have one name",
        ),
        rule(
            "instance_type",
            lambda v: is_null(v.instance_type) == (v.kind == alarm_catalogue.SERVERLESS),
            "say which instances a realtime or async endpoint has; a serverless one has none",
        ),
        rule(
            "memory_mb",
            lambda v: is_null(v.memory_mb) == (v.kind != alarm_catalogue.SERVERLESS),
            "say how much memory a worker of a serverless endpoint has; others have instances",
        ),
        rule(
            "memory_mb",
            lambda v: is_null(v.memory_mb) | contains(list(serverless_memory_mb()), v.memory_mb),
            f"must be one of {', '.join(map(str, serverless_memory_mb()))}",
        ),
        rule(
            "provisioned_concurrency",
            lambda v: (v.provisioned_concurrency == 0) | (v.kind == alarm_catalogue.SERVERLESS),
            "only a serverless endpoint keeps workers ready",
        ),
        rule(
            "idle_stop",
            lambda v: is_null(v.idle_stop) | (v.kind == alarm_catalogue.REALTIME),
            "only a realtime endpoint costs anything while nobody asks it; leave it out",
        ),
    )


#: How no document of an account may be called.
_OF_AWS = "^(aws|amazon|amzn)"


class Inputs(LocatedInputs, RoleInputs):
    endpoints: dict[EndpointKey, WatchedEndpoint] = Field(
        default_factory=dict, description="Endpoints to watch, by a name of your own; none by default."
    )
    events: list[EventName] = Field(
        list(notifications.NAMES),
        description="Of what people hear beside alarms: deployments of these endpoints, and what else there is in the "
        "account and Region; of all by default.",
    )
    existing_publisher_role: ExistingPublisherRole | None = Field(
        None, description="Publish events to the topics with this role instead of a new one."
    )
    idle_stop: IdleStop = Field(
        "report",
        description="What becomes of realtime endpoints that nobody has asked for waste_hours, nor deployed to: report "
        "tells the topic of alarms that they would be deleted, delete deletes them, off does neither.",
    )
    kms_key_arn: KmsKeyArn = Field(
        description="Key of topics and logs. Its policy must allow the account's roles, CloudWatch and CloudWatch Logs."
    )
    log_groups: list[LogGroupName] = Field(
        sorted(JOB_LOGS),
        description="Log groups to have before SageMaker makes them, without end; those of jobs by default. An account "
        "and Region has one of each.",
    )
    log_retention_days: LogRetentionDays = Field(30, description="How long what is in these is kept, in days.")
    thresholds: dict[AlarmName, float] = Field(
        default_factory=dict,
        description="Other thresholds than those of the catalogue, by alarm: of CPUs, GPUs and workers as percent of "
        "one, of efficiency as seconds of an instance for a request.",
    )
    waste_hours: int = Field(
        24,
        ge=1,
        le=168,
        description="For how many hours on end an endpoint has little to do before somebody hears of it.",
    )

    rules = (
        rule(
            "endpoints",
            lambda v: (
                length(distinct(list_of(v.endpoints, lambda endpoint: truncate(endpoint.name, RULE_NAME_CHARACTERS))))
                == length(v.endpoints)
            ),
            f"two of these have one name, or names of which the first {RULE_NAME_CHARACTERS} characters are one.",
        ),
        rule(
            "idle_stop",
            lambda v: (
                ~can(match(_OF_AWS, v.name_prefix))
                | (v.idle_stop == "off")
                & every(v.endpoints, lambda endpoint: coalesce(endpoint.idle_stop, "off") == "off")
            ),
            "Systems Manager takes no runbook whose name begins with aws, amazon or amzn, as name_prefix does; say off",
        ),
    )
