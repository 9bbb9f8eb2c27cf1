"""Inputs of `observability`."""

from typing import Annotated, Literal

from modules.common import (
    EntityName,
    ExistingPublisherRole,
    KmsKeyArn,
    LocatedInputs,
    MapKey,
    RoleInputs,
)
from modules.endpoints.inputs import VARIANT
from modules.location import require_key_in_region, require_role_of_account
from modules.observability import alarm_catalogue, notifications
from modules.subscribers import Subscriber, require_distinct_endpoints
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
    optional,
    truncate,
)
from sustainable_mlops.base.log_groups import JOB_LOGS
from sustainable_mlops.catalogue.limits import LogRetentionDays, list_serverless_memory_mb

QueueName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{1,80}$",
        json_schema_extra=must("be the name of a standard queue of this account and Region, not its URL"),
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
#: Number of characters of an endpoint's name that are part of the names of its rules.
RULE_NAME_CHARACTERS = 59
#: Action for an idle endpoint: none, a notification, or deletion.
IdleStop = Literal["off", "report", "delete"]


class MonitoredEndpoint(ModuleInputs):
    """Existing endpoint to monitor."""

    name: EntityName = Field(description="Name of the endpoint, as in its metrics.")
    kind: alarm_catalogue.EndpointKind = Field(description="Kind of endpoint: realtime, async or serverless.")
    variants: list[EntityName] = Field(
        [VARIANT],
        min_length=1,
        max_length=10,
        description="All variants, including shadows. They have the same instance type.",
    )
    instance_type: str | None = Field(None, description="Instance type of a realtime or async endpoint.")
    memory_mb: int | None = Field(None, description="Memory of a worker of a serverless endpoint, in MB.")
    provisioned_concurrency: int = Field(0, ge=0, le=200, description="Provisioned workers of a serverless endpoint.")
    latency_slo_ms: int | None = Field(
        None,
        ge=1,
        description="Maximum latency in milliseconds. An alarm compares the p90 of the responses with it. Default: no "
        "alarm.",
    )
    backlog_slo_seconds: int = Field(
        3600, ge=60, description="Maximum wait of a request of an asynchronous endpoint, in seconds."
    )
    deployment_minutes: int = Field(
        15,
        ge=1,
        le=240,
        description="Time that the health alarm is suppressed after the last event of a deployment, in minutes. It "
        "must be longer than the longest step, including wait_seconds and bake_seconds.",
    )
    idle_stop: IdleStop | None = Field(
        None, description="Action when this endpoint is idle; overrides the module's idle_stop. Only for realtime."
    )

    rules = (
        rule(
            "variants",
            lambda v: length(distinct(v.variants)) == length(v.variants),
            "two variants have the same name; rename one",
        ),
        rule(
            "instance_type",
            lambda v: is_null(v.instance_type) == (v.kind == alarm_catalogue.SERVERLESS),
            "set it for a realtime or async endpoint; a serverless endpoint has no instances",
        ),
        rule(
            "memory_mb",
            lambda v: is_null(v.memory_mb) == (v.kind != alarm_catalogue.SERVERLESS),
            "set it for a serverless endpoint; other endpoints have instances",
        ),
        rule(
            "memory_mb",
            lambda v: is_null(v.memory_mb) | contains(list(list_serverless_memory_mb()), v.memory_mb),
            f"must be one of {', '.join(map(str, list_serverless_memory_mb()))}",
        ),
        rule(
            "provisioned_concurrency",
            lambda v: (v.provisioned_concurrency == 0) | (v.kind == alarm_catalogue.SERVERLESS),
            "only a serverless endpoint has provisioned workers; remove it",
        ),
        rule(
            "idle_stop",
            lambda v: is_null(v.idle_stop) | (v.kind == alarm_catalogue.REALTIME),
            "only an idle real-time endpoint has costs; remove it",
        ),
    )


ALARMS, EVENTS = "alarms", "events"
TopicName = Annotated[str, one_of((ALARMS, EVENTS))]


class TopicSubscriber(Subscriber):
    """Receiver of the messages of some topics."""

    topics: list[TopicName] = Field(
        [ALARMS], min_length=1, description="Topics to subscribe to. Default: alarms, which require action."
    )


#: Reserved prefixes of names of SSM documents.
_OF_AWS = "^(aws|amazon|amzn)"


class Inputs(LocatedInputs, RoleInputs):
    dead_letter_queues: list[QueueName] = Field(
        default_factory=list,
        description="Further dead-letter queues with an alarm, such as the output dead_letter_queue_names of "
        "`pipeline` and `model_registry`. The queues of this module always have an alarm. Default: none.",
    )
    endpoints: dict[MapKey, MonitoredEndpoint] = Field(
        default_factory=dict, description="Endpoints to monitor, by a key of your choice. Default: none."
    )
    events: list[EventName] = Field(
        list(notifications.NAMES),
        description="Events to notify of, in addition to alarms: deployments of these endpoints, and events in "
        "event_scope. Default: all.",
    )
    event_scope: Literal["account", "name_prefix"] = Field(
        "account",
        description="account: events of all resources of the account and Region. name_prefix: only events of "
        "resources whose name starts with name_prefix and a hyphen. Jobs also match by the "
        "name of their role, and transform jobs by the name of their output bucket. Deployment events are always those "
        "of the monitored endpoints.",
    )
    existing_publisher_role: ExistingPublisherRole | None = Field(
        None, description="Publish events to the topics with this role instead of a new one."
    )
    idle_stop: IdleStop = Field(
        "report",
        description="Action for real-time endpoints without requests or deployments for waste_hours: report notifies "
        "the alarm topic, delete deletes them, off does nothing.",
    )
    kms_key_arn: KmsKeyArn = Field(
        description="Key of topics and logs. Its policy must allow the account's roles, CloudWatch and CloudWatch Logs."
    )
    log_groups: list[LogGroupName] = Field(
        sorted(JOB_LOGS),
        description="Log groups to create before SageMaker creates them without a retention. Default: the log groups "
        "of jobs. An account and Region has one of each.",
    )
    log_retention_days: LogRetentionDays = Field(30, description="Retention of these log groups, in days.")
    subscribers: dict[MapKey, TopicSubscriber] = Field(
        default_factory=dict, description="Subscribers of the topics, by a key of your choice. Default: none."
    )
    thresholds: dict[AlarmName, float] = Field(
        default_factory=dict,
        description="Thresholds that replace the defaults, by alarm. The section Alarms of the module's page has the "
        "defaults and their units.",
    )
    waste_hours: int = Field(
        24,
        ge=1,
        le=168,
        description="Consecutive hours in which an endpoint is idle or too large, before an alarm on this waste.",
    )

    rules = (
        require_key_in_region(),
        require_distinct_endpoints("subscribers", lambda v: v.subscribers),
        require_role_of_account(
            "existing_publisher_role", lambda v: list_of(optional(v.existing_publisher_role), lambda role: role.arn)
        ),
        rule(
            "endpoints",
            lambda v: (
                length(distinct(list_of(v.endpoints, lambda endpoint: truncate(endpoint.name, RULE_NAME_CHARACTERS))))
                == length(v.endpoints)
            ),
            f"two endpoints have the same name, or names with the same first {RULE_NAME_CHARACTERS} characters.",
        ),
        rule(
            "idle_stop",
            lambda v: (
                ~can(match(_OF_AWS, v.name_prefix))
                | (v.idle_stop == "off")
                & every(v.endpoints, lambda endpoint: coalesce(endpoint.idle_stop, "off") == "off")
            ),
            "Systems Manager refuses runbooks whose name begins with aws, amazon or amzn, as name_prefix does; use off",
        ),
    )
