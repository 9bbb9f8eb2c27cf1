"""Endpoints whose scaling has no effect, or exceeds the estimate."""

from typing import Any

from tests.review.missed_cases.case import Case
from tests.rules.endpoints import (
    BACKLOG,
    CONFIGURATION,
    ENDPOINT,
    POLICY,
    REQUESTS,
    STEP,
    TARGET,
    Resources,
    add_alarm,
    add_policy,
    add_scheduled_actions,
    add_target,
    add_tracking_policy,
    build_asynchronous,
    build_real_time,
)
from tests.rules.plan_builder import build_document

#: Attributes that other rules require of endpoints and their configurations.
_OTHERS = (
    "CONFIGURATION_NAME_PREFIX", "ENDPOINT_ERROR_ALARM", "ENDPOINT_IDLE_ALARM", "ENDPOINT_LATENCY_ALARM",
    "ENDPOINT_LOW_UTILIZATION_ALARM", "ROLLBACK_ALARMS",
)  # fmt: skip
_TAGS = {f"sust_waiver:SUS_{rule}": "of no matter here until 2099-12-31" for rule in _OTHERS}
_NOTIFICATIONS = {
    "s3_failure_path": "s3://answers/failed/",
    "notification_config": {"error_topic": "arn:aws:sns:eu-north-1:123456789012:failed"},
}


def _add_tags(resources: Resources, **tags: str) -> Resources:
    more = {address: {**resources[address], "tags": {**_TAGS, **tags}} for address in (ENDPOINT, CONFIGURATION)}
    return {**resources, **more}


def _add_wake_up(resources: Resources, **alarm: Any) -> Resources:
    """Return the resources with a policy that follows the backlog and one that wakes the endpoint."""
    stepped = add_policy(add_tracking_policy(resources, **BACKLOG), step=True)
    return add_alarm(stepped, "HasBacklogWithoutCapacity", alarm_actions=[f"${{{STEP}.arn}}"], **alarm)


_ASYNCHRONOUS = _add_tags(build_asynchronous(output=_NOTIFICATIONS))
_SLEEPS = _add_wake_up(add_target(_ASYNCHRONOUS, minimum=0))
_PRODUCTION = add_target(_add_tags(build_real_time(), environment="prod"))
_DEVELOPMENT = add_target(_add_tags(build_real_time(), environment="dev"))
_NAMED = add_target(_ASYNCHRONOUS, minimum=0, resource_id="endpoint/delay/variant/main")
_ONCE = "at(2027-01-01T00:00:00)"
_BY_DAY = ("0 8 * * ? *", 2, 4), ("0 18 * * ? *", 1, 4)

#: Scaling whose result the reviewer cannot compute.
CASES = {
    "an asynchronous endpoint that an action lifts to twenty once": Case(
        build_document(add_scheduled_actions(_SLEEPS, ("", 20, 20), schedule=_ONCE)), "look", "runs only once"
    ),
    "a real-time endpoint whose schedule ends": Case(
        build_document(
            add_scheduled_actions(
                add_tracking_policy(_DEVELOPMENT, **REQUESTS), *_BY_DAY, end_time="2027-01-01T00:00:00Z"
            )
        ),
        "look",
        "ends at 2027-01-01T00:00:00Z",
    ),
    "one variant with two scalable targets": Case(
        build_document(
            {**_add_wake_up(_NAMED), "aws_appautoscaling_target.more": {**_NAMED[TARGET], "max_capacity": 40}}
        ),
        "look",
        "is registered last",
    ),
    "metric math that may or may not give a number": Case(
        build_document(
            add_tracking_policy(
                _PRODUCTION,
                customized_metric_specification={
                    "metrics": [
                        {"id": "e", "expression": "FILL(m, 0) + 1"},
                        {
                            "id": "m",
                            "metric_stat": {
                                "metric": {"namespace": "AWS/SageMaker", "metric_name": "ApproximateBacklogSize"}
                            },
                        },
                    ]
                },
            )
        ),
        "look",
        "whether its policies have an effect",
    ),
}

#: Scaling that a rule checks now.
CHECKED_BY_RULES = {
    "an asynchronous endpoint whose scaling in is suspended": Case(
        build_document(
            _add_wake_up(add_target(_ASYNCHRONOUS, minimum=0, suspended_state={"dynamic_scaling_in_suspended": True}))
        ),
        "look",
        "does not scale in while its queue is empty",
    ),
    "an asynchronous endpoint that an action lifts each day": Case(
        build_document(add_scheduled_actions(_SLEEPS, ("0 8 * * ? *", 20, 20))),
        "look",
        "keeps 20 instances while its queue is empty",
    ),
    "an asynchronous endpoint whose alarm is off": Case(
        build_document(_add_wake_up(add_target(_ASYNCHRONOUS, minimum=0), actions_enabled=False)),
        "look",
        "no enabled alarm on HasBacklog",
    ),
    "a real-time endpoint that follows a queue": Case(
        build_document(add_tracking_policy(_PRODUCTION, **BACKLOG)),
        "look",
        f"stays at 1 instance: {POLICY} waits for ApproximateBacklogSizePerInstance",
    ),
    "a real-time endpoint with steps that nothing starts": Case(
        build_document(add_policy(_PRODUCTION, step=True)), "look", f"no alarm in the plan starts {STEP}"
    ),
    "a real-time endpoint with steps that an alarm on a queue starts": Case(
        build_document(
            add_alarm(
                add_policy(_PRODUCTION, step=True), "HasBacklogWithoutCapacity", alarm_actions=[f"${{{STEP}.arn}}"]
            )
        ),
        "look",
        f"{STEP} waits for HasBacklogWithoutCapacity",
    ),
    "a schedule that never takes away what it adds": Case(
        build_document(add_scheduled_actions(_DEVELOPMENT, *_BY_DAY)), "look", "nothing stops variant main at night"
    ),
}
