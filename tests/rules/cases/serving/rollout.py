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


def deployed(count: Any = 1, **config: Any) -> Resources:
    """Return a real-time endpoint with this number of instances and a deployment configuration."""
    return build_real_time(variant={"initial_instance_count": count}, endpoint={"deployment_config": config or []})


def rolled_back(alarms: Any) -> Resources:
    """Return an endpoint with automatic rollback."""
    return deployed(auto_rollback_configuration={"alarms": alarms})


ALARM = {"alarm_name": "errors"}
WITH, WITHOUT = rolled_back(ALARM), deployed()
#: As the provider plans it.
FORCES = {ENDPOINT: [["deployment_config", 0, "auto_rollback_configuration"]]}


def changed(after: Resources, action: str, before: Resources, replaces: Any = None) -> RuleCase:
    """Return an endpoint whose deployment configuration changes."""
    config = before[ENDPOINT]["deployment_config"]
    return RuleCase(after, {ENDPOINT: action}, {ENDPOINT: {"deployment_config": config}}, replaces=replaces or {})


ROLLING = {"maximum_batch_size": {"type": "INSTANCE_COUNT", "value": 1}, "wait_interval_in_seconds": 60}

CASES: CaseTable = {
    "SUS_ROLLBACK_ALARMS": {
        "pass": {"an alarm": deployed(auto_rollback_configuration={"alarms": {"alarm_name": "errors"}})},
        "fail": {"nothing": build_real_time(), "no alarm": deployed(auto_rollback_configuration={"alarms": []})},
        "unknown": {"known after apply": deployed(auto_rollback_configuration=UNKNOWN)},
        "not_applicable": {"a serverless one": build_serverless(), "an asynchronous one": build_asynchronous()},
    },
    "SUS_ROLLBACK_REPLACES_ENDPOINT": {
        "pass": {
            "another alarm": changed(rolled_back([ALARM, {"alarm_name": "latency"}]), "update", WITH),
            "replaced for its name": changed(WITH, "replace", WITH, {ENDPOINT: [["name"]]}),
        },
        "fail": {
            "added": changed(WITH, "replace", WITHOUT, FORCES),
            "removed": changed(WITHOUT, "replace", WITH, FORCES),
        },
        "unknown": "the plan says what forces a replacement",
        "not_applicable": {"from the first apply": WITH, "nothing changes": changed(WITH, "no-op", WITH)},
    },
    "SUS_ROLLBACK_UNNOTICED": {
        "pass": {"a condition": RuleCase(WITH, conditions=[ENDPOINT])},
        "fail": {
            "no condition": WITH,
            "one of something else": RuleCase(WITH, conditions=["aws_sagemaker_endpoint.other"]),
        },
        "unknown": {"alarms known after apply": deployed(auto_rollback_configuration=UNKNOWN)},
        "not_applicable": {"no alarm": WITHOUT, "a serverless one": build_serverless()},
    },
    "SUS_BLUE_GREEN_BAKE": {
        "pass": {
            "five minutes": deployed(blue_green_update_policy={"termination_wait_in_seconds": 300}),
            "none": deployed(blue_green_update_policy={"termination_wait_in_seconds": None}),
        },
        "fail": {"an hour": deployed(blue_green_update_policy={"termination_wait_in_seconds": 3600})},
        "unknown": {"known after apply": deployed(blue_green_update_policy={"termination_wait_in_seconds": UNKNOWN})},
        "not_applicable": {"no such policy": deployed(), "a rolling one": deployed(rolling_update_policy=ROLLING)},
    },
    "SUS_ROLLING_UPDATE": {
        "pass": {"in parts": deployed(8, rolling_update_policy=ROLLING)},
        "fail": {
            "eight more": deployed(8),
            "at least four more": add_target(build_real_time(), least=4, most=9),
        },
        "unknown": {"a count known after apply": deployed(UNKNOWN)},
        "not_applicable": {"one instance": build_real_time(), "a serverless one": build_serverless()},
    },
}
