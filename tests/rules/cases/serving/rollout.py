"""Cases of rules/serving/rollout.py."""

from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase
from tests.rules.endpoints import (
    ENDPOINT,
    UNKNOWN,
    Resources,
    add_target,
    build_asynchronous,
    build_real_time,
    build_serverless,
)


def build_deployment(count: Any = 1, **config: Any) -> Resources:
    """Return a real-time endpoint with this number of instances and a deployment configuration."""
    return build_real_time(variant={"initial_instance_count": count}, endpoint={"deployment_config": config or []})


def build_rollback(alarms: Any) -> Resources:
    """Return an endpoint with automatic rollback."""
    return build_deployment(auto_rollback_configuration={"alarms": alarms})


ALARM = {"alarm_name": "errors"}
WITH, WITHOUT = build_rollback(ALARM), build_deployment()
#: The block in the form that the provider plans.
FORCES = {ENDPOINT: [["deployment_config", 0, "auto_rollback_configuration"]]}


def build_changed(after: Resources, action: str, before: Resources, replaces: Any = None) -> RuleCase:
    """Return an endpoint whose deployment configuration changes."""
    config = before[ENDPOINT]["deployment_config"]
    return RuleCase(after, {ENDPOINT: action}, {ENDPOINT: {"deployment_config": config}}, replaces=replaces or {})


ROLLING = {"maximum_batch_size": {"type": "INSTANCE_COUNT", "value": 1}, "wait_interval_in_seconds": 60}

CASES: CaseTable = {
    "SUS_ROLLBACK_ALARMS": {
        "pass": {"an alarm": build_deployment(auto_rollback_configuration={"alarms": {"alarm_name": "errors"}})},
        "fail": {
            "nothing": build_real_time(),
            "no alarm": build_deployment(auto_rollback_configuration={"alarms": []}),
        },
        "unknown": {"known after apply": build_deployment(auto_rollback_configuration=UNKNOWN)},
        "not_applicable": {
            "a serverless endpoint": build_serverless(),
            "an asynchronous endpoint": build_asynchronous(),
        },
    },
    "SUS_ROLLBACK_REPLACES_ENDPOINT": {
        "pass": {
            "another alarm": build_changed(build_rollback([ALARM, {"alarm_name": "latency"}]), "update", WITH),
            "replaced for its name": build_changed(WITH, "replace", WITH, {ENDPOINT: [["name"]]}),
        },
        "fail": {
            "added": build_changed(WITH, "replace", WITHOUT, FORCES),
            "removed": build_changed(WITHOUT, "replace", WITH, FORCES),
        },
        "unknown": "the plan always tells the reason of a replacement",
        "not_applicable": {"from the first apply": WITH, "nothing changes": build_changed(WITH, "no-op", WITH)},
    },
    "SUS_ROLLBACK_UNNOTICED": {
        "pass": {"a condition": RuleCase(WITH, conditions=[ENDPOINT])},
        "fail": {
            "no condition": WITH,
            "a condition of another resource": RuleCase(WITH, conditions=["aws_sagemaker_endpoint.other"]),
        },
        "unknown": {"alarms known after apply": build_deployment(auto_rollback_configuration=UNKNOWN)},
        "not_applicable": {"no alarm": WITHOUT, "a serverless endpoint": build_serverless()},
    },
    "SUS_BLUE_GREEN_BAKE": {
        "pass": {
            "five minutes": build_deployment(blue_green_update_policy={"termination_wait_in_seconds": 300}),
            "none": build_deployment(blue_green_update_policy={"termination_wait_in_seconds": None}),
        },
        "fail": {"an hour": build_deployment(blue_green_update_policy={"termination_wait_in_seconds": 3600})},
        "unknown": {
            "known after apply": build_deployment(blue_green_update_policy={"termination_wait_in_seconds": UNKNOWN})
        },
        "not_applicable": {
            "no such policy": build_deployment(),
            "a rolling one": build_deployment(rolling_update_policy=ROLLING),
        },
    },
    "SUS_ROLLING_UPDATE": {
        "pass": {"a rolling update": build_deployment(8, rolling_update_policy=ROLLING)},
        "fail": {
            "eight more": build_deployment(8),
            "at least four more": add_target(build_real_time(), minimum=4, maximum=9),
        },
        "unknown": {"a count known after apply": build_deployment(UNKNOWN)},
        "not_applicable": {"one instance": build_real_time(), "a serverless endpoint": build_serverless()},
    },
}
