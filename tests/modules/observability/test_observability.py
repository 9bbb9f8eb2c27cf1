"""What people hear of endpoints: harm but not during a deployment, waste, events; and what the dashboard adds up."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modules.observability import factors, telling, watching
from modules.observability.inputs import Inputs
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import Fleet, Serverless
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import exactly
from sustainable_mlops.plan.joins import ASYNCHRONOUS, REAL_TIME, SERVERLESS
from sustainable_mlops.plan.metrics import NEVER
from sustainable_mlops.rules.monitoring.events import DETAIL_TYPES
from sustainable_mlops.sandbox import Sandbox
from sustainable_mlops.terraform import ROOT, Terraform
from tests.modules.examples import terraform
from tests.sandbox.deploying import Endpoints
from tests.sandbox.support import until

REGION = "eu-north-1"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GIVEN: dict[str, Any] = {"name_prefix": "shop", "account_id": "123456789012", "region": REGION, "kms_key_arn": KEY}
CHURN: dict[str, Any] = {"name": "shop-churn", "kind": "realtime", "instance_type": "ml.c7g.large"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        (
            {"endpoints": {"churn": {"name": "shop-churn", "kind": "realtime"}}},
            "endpoints.churn.instance_type: say which instances a realtime or async endpoint has",
        ),
        (
            {"endpoints": {"churn": {**CHURN, "kind": "serverless", "memory_mb": 2048}}},
            "endpoints.churn.instance_type: say which instances a realtime or async endpoint has; a serverless one has",
        ),
        ({"endpoints": {"churn": {**CHURN, "memory_mb": 2048}}}, "endpoints.churn.memory_mb: say how much memory a"),
        (
            {"endpoints": {"churn": {**CHURN, "provisioned_concurrency": 1}}},
            "endpoints.churn.provisioned_concurrency: only a serverless endpoint keeps workers ready",
        ),
        ({"endpoints": {"churn": {**CHURN, "kind": "batch"}}}, "endpoints.churn.kind: 'batch' is not one of"),
        ({"endpoints": {"churn": {**CHURN, "name": "a" * 64}}}, "must be the name of an endpoint: 1 to 63 letters"),
        ({"endpoints": {"Churn": CHURN}}, "must be 1 to 63 lower-case letters, digits and underscores"),
        ({"thresholds": {"cpu": 1.0}}, "thresholds.cpu: "),
        ({"events": ["jobs"]}, "events"),
        ({"log_groups": ["a b"]}, "must be the name of a log group"),
        ({"waste_hours": 169}, "waste_hours: must be less than or equal to 168"),
    ],
)
def test_settings_that_cannot_be_are_refused(inputs: dict[str, Any], told: str) -> None:
    from sustainable_mlops.settings import validate

    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert told in str(error.value)


def test_no_kind_of_endpoint_is_watched_by_what_it_never_publishes() -> None:
    never = {
        watching.REALTIME: NEVER[REAL_TIME],
        watching.ASYNC: NEVER[ASYNCHRONOUS],
        watching.SERVERLESS: NEVER[SERVERLESS] | {"CPUUtilization", "GPUUtilization", "DiskUtilization"},
    }
    looked_at = {
        (kind, one[1])
        for kind, sides in watching.shown().items()
        for graphs in sides.values()
        for one in graphs
    } | {(kind, alarm.metric) for alarm in watching.ALARMS.values() for kind in alarm.kinds}
    assert {(kind, metric) for kind, metric in looked_at if metric in never[kind]} == set()


def test_rules_wait_for_events_that_are_sent() -> None:
    assert {one for _, pattern in telling.EVENTS.values() for one in pattern["detail-type"]} <= DETAIL_TYPES


def test_the_tables_are_those_of_the_catalogue() -> None:
    folder = ROOT / "modules" / "observability"
    assert {name: (folder / name).read_text() for name in factors.files()} == factors.files()
