"""A change of one setting of an applied environment touches only the resources that need it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clone import synth
from sustainable_mlops.base.terraform import ROOT
from tests.envs.test_golden_path import register_package
from tests.modules.examples import apply, plan, terraform
from tests.tftest_driver import FailedError

BUCKET = "smlops-staging-state-123456789012"
REALTIME = {"silicon": "x86", "instance_type": "ml.m5.large", "latency_slo_ms": 1000}
SMALL = {"memory_mb": 1024, "max_concurrency": 2}
MODELS: dict[str, Any] = {
    "flight_delay": {"serverless_endpoint": {"memory_mb": 2048, "max_concurrency": 5}},
    "churn": {"latency_slo": "milliseconds", "realtime_endpoint": REALTIME},
    "size": {"serverless_endpoint": SMALL},
}
TAGS = {"workload": "flight_delay", "owner": "ml-platform", "data_class": "public"}
BASE: dict[str, Any] = {
    "environment": "staging",
    "name_prefix": "smlops-staging",
    "state": {"bucket": BUCKET},
    "tags": TAGS,
    "deletion_protection": True,
    "models": MODELS,
}
SCHEDULE = {"expression": "rate(7 days)", "parameters": {"InputKey": "raw/all/"}}
TEAM = {"protocol": "email", "endpoint": "ml-team@example.com"}

CHURN, SIZE, WATCH = 'module.realtime_endpoint["churn"]', 'module.serverless_endpoint["size"]', "module.observability"
DASHBOARD = f'{WATCH}.aws_cloudwatch_dashboard.this["this"]'
LOG_GROUPS = (
    f'{WATCH}.aws_cloudwatch_log_group.this["/aws/sagemaker/InferenceRecommendationsJobs"]',
    f'{WATCH}.aws_cloudwatch_log_group.this["/aws/sagemaker/ProcessingJobs"]',
    f'{WATCH}.aws_cloudwatch_log_group.this["/aws/sagemaker/TrainingJobs"]',
    f'{WATCH}.aws_cloudwatch_log_group.this["/aws/sagemaker/TransformJobs"]',
    f"{CHURN}.aws_cloudwatch_log_group.this",
    'module.serverless_endpoint["flight_delay"].aws_cloudwatch_log_group.this',
    f"{SIZE}.aws_cloudwatch_log_group.this",
)
UPDATE, CREATE, DELETE, REPLACE = "update", "create", "delete", "replace"
#: Resources with a statement or a widget for each endpoint.
SHARED = {
    'module.access.aws_iam_role_policy.needed["inference"]': UPDATE,
    'module.access.terraform_data.needed_policy["inference"]': UPDATE,
    f'{WATCH}.aws_iam_role_policy.stopper["idle"]': UPDATE,
    f'{WATCH}.terraform_data.stopper_policy["idle"]': UPDATE,
    DASHBOARD: UPDATE,
}


def change_model(key: str, **changes: Any) -> dict[str, Any]:
    """Return the settings with other values of one model; None removes a value."""
    model = {name: value for name, value in {**MODELS[key], **changes}.items() if value is not None}
    return {"models": {**MODELS, key: model}}


def change_churn(**inputs: Any) -> dict[str, Any]:
    """Return the settings with other inputs of the real-time endpoint."""
    return change_model("churn", realtime_endpoint={**REALTIME, **inputs})


#: Changed settings, and the resources that a plan touches: an address, or a pattern with `*`.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "retention of logs": ({"log_retention_days": 30}, dict.fromkeys(LOG_GROUPS, UPDATE)),
    "retention of data": (
        {"storage": {"lifecycle_days": {"logs": 30}}},
        {"module.storage.aws_s3_bucket_lifecycle_configuration.logs": UPDATE},
    ),
    "schedule": (
        {"schedule": {**SCHEDULE, "expression": "rate(14 days)"}},
        {'module.pipeline_flight_delay.aws_scheduler_schedule.this["schedule"]': UPDATE},
    ),
    "instance type": (
        change_churn(instance_type="ml.m5.xlarge"),
        {
            f"{CHURN}.aws_sagemaker_endpoint_configuration.this": REPLACE,
            f"{CHURN}.aws_sagemaker_endpoint.this": UPDATE,
            f"{CHURN}.terraform_data.instance_type": REPLACE,
            f'{CHURN}.aws_appautoscaling_target.instances["main"]': REPLACE,
            f'{CHURN}.aws_appautoscaling_policy.*["main"]': REPLACE,
            f'{CHURN}.aws_cloudwatch_metric_alarm.idle["main"]': UPDATE,
            f'{WATCH}.aws_cloudwatch_metric_alarm.this["churn_realtime/cpu_*"]': UPDATE,
            f'{WATCH}.aws_cloudwatch_event_target.idle["churn_realtime"]': UPDATE,
            DASHBOARD: UPDATE,
        },
    ),
    "memory": (
        change_model("size", serverless_endpoint={**SMALL, "memory_mb": 2048}),
        {
            f"{SIZE}.aws_sagemaker_endpoint_configuration.this": REPLACE,
            f"{SIZE}.aws_sagemaker_endpoint.this": UPDATE,
            f'{WATCH}.aws_cloudwatch_metric_alarm.this["size_serverless/memory_low"]': CREATE,
            DASHBOARD: UPDATE,
        },
    ),
    "concurrency": (
        change_model("size", serverless_endpoint={**SMALL, "max_concurrency": 3}),
        {f"{SIZE}.aws_sagemaker_endpoint_configuration.this": REPLACE, f"{SIZE}.aws_sagemaker_endpoint.this": UPDATE},
    ),
    "latency of the alarms": (
        change_churn(latency_slo_ms=500),
        {
            f'{CHURN}.aws_cloudwatch_metric_alarm.latency["main"]': UPDATE,
            f'{WATCH}.aws_cloudwatch_metric_alarm.this["churn_realtime/latency"]': UPDATE,
            DASHBOARD: UPDATE,
        },
    ),
    "latency SLO of one model": (
        change_model("size", latency_slo="minutes"),
        {
            f"{SIZE}.aws_cloudwatch_log_group.this": UPDATE,
            **{f"{SIZE}.aws_sagemaker_{kind}.this": UPDATE for kind in ("model", "endpoint", "endpoint_configuration")},
        },
    ),
    "one model becomes real-time": (
        change_model("size", latency_slo="milliseconds", serverless_endpoint=None, realtime_endpoint=REALTIME),
        {
            'module.serverless_endpoint["size"].*': DELETE,
            f'{WATCH}.*["size_serverless*"]': DELETE,
            'module.realtime_endpoint["size"].*': CREATE,
            f'{WATCH}.*["size_realtime*"]': CREATE,
            f'{WATCH}.aws_sqs_queue_policy.idle["idle"]': UPDATE,  # it names the rule of each endpoint
            **SHARED,
        },
    ),
    "subscriber": (
        {"notifications": {"subscribers": {"team": TEAM}}},
        {
            f'{WATCH}.aws_sns_topic_subscription.alarms["team"]': CREATE,
            'module.pipeline_flight_delay.aws_sns_topic_subscription.failed["team"]': CREATE,
        },
    ),
    "warm pools": ({"warm_pools": False}, {"aws_ssm_parameter.platform": UPDATE}),
    "boundary of the roles": (
        {"access": {"permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary"}},
        {
            "module.access.aws_iam_role.this[*]": UPDATE,
            f"{WATCH}.aws_iam_role.*": UPDATE,
            "module.pipeline_flight_delay.aws_iam_role.*": UPDATE,
        },
    ),
}

#: Another account or Region, and the refusal of a plan that still uses the old state.
MOVES = (
    ({"account_id": "111122223333"}, "AWS account ID not allowed: 123456789012"),
    ({"region": "eu-west-1"}, "deletion_protection.* has lifecycle.prevent_destroy set"),
)


class AppliedEnvironment:
    """Environment that is applied on a sandbox, with the state in its S3 bucket."""

    def __init__(self, folder: Path, sandbox: Any, variables: dict[str, str], synthesize: Callable[..., Any]) -> None:
        self._folder, self._synthesize = folder, synthesize
        folder.mkdir(parents=True)
        for name in synth.CALLED_FOLDERS:
            (folder.parents[1] / name).symlink_to(ROOT / name)
        region = {"LocationConstraint": "eu-north-1"}
        sandbox.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
        self.write()
        self._driver = terraform(folder, variables)
        self._apply()
        bucket, prefix = "smlops-staging-artifacts-123456789012-eu-north-1", "smlops-staging"
        packages = {key: register_package(sandbox, f"{prefix}-{key.replace('_', '-')}", bucket) for key in MODELS}
        self._packages = folder / synth.PACKAGES
        self._packages.write_text(json.dumps({"model_packages": packages}))
        self._apply()

    def _apply(self) -> None:
        plan(self._driver)
        apply(self._driver)

    def write(self, changes: Mapping[str, Any] = {}, *, keeps_backend: bool = False) -> None:
        """Write the root module with changed settings, and with the backend of the state if `keeps_backend`."""
        body = self._build(changes)
        if keeps_backend:
            body["terraform"] = self._build({})["terraform"]
        (self._folder / "main.tf.json").write_text(json.dumps(body))

    def _build(self, changes: Mapping[str, Any]) -> Any:
        settings = {**BASE, **changes}
        schedule = settings.pop("schedule", SCHEDULE)
        return self._synthesize(schedule=schedule, **settings).to_json()

    def plan(self) -> dict[str, Any]:
        """Return a plan that trusts the state, because nothing else changes the sandbox."""
        self._driver.execute_command("get")
        self._driver.execute_command("plan", "-refresh=false", "-out=tfplan")
        whole: dict[str, Any] = json.loads(self._driver.execute_command("show", "-json", "tfplan").out)
        return whole

    def refresh_and_plan_without_packages(self) -> dict[str, Any]:
        """Return a plan of the environment before its first model."""
        self._packages.write_text('{"model_packages": {}}')
        return plan(self._driver)


@pytest.fixture
def applied(
    tmp_path: Path, own: tuple[Any, dict[str, str]], environment: Callable[..., Any], dev: dict[str, Any]
) -> AppliedEnvironment:
    """Return an environment with three endpoints and a scheduled pipeline."""

    def synthesize(schedule: Mapping[str, Any], **changes: Any) -> Any:
        pipelines = {"flight_delay": {**dev["pipelines"]["flight_delay"], "schedule": schedule}}
        return environment(pipelines=pipelines, **changes)

    return AppliedEnvironment(tmp_path / "repository" / "envs" / "staging", *own, synthesize)


def list_actions(plan: Mapping[str, Any]) -> dict[str, str]:
    """Return the action on each resource that a plan touches, by address."""
    actions = {one["address"]: one["change"]["actions"] for one in plan["resource_changes"]}
    return {
        address: REPLACE if len(action) > 1 else action[0]
        for address, action in actions.items()
        if action not in (["no-op"], ["read"])
    }


def find_surprises(actions: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """Return the actions that no entry of `expected` has, and the entries without an action."""
    patterns = {re.compile(re.escape(text).replace(r"\*", ".*")): action for text, action in expected.items()}
    unexpected = [
        f"{action} {address}"
        for address, action in actions.items()
        if not any(each.fullmatch(address) and action == patterns[each] for each in patterns)
    ]
    missing = [
        f"no {action} {each.pattern}"
        for each, action in patterns.items()
        if not any(each.fullmatch(address) and actions[address] == action for address in actions)
    ]
    return unexpected + missing


@pytest.mark.release
@pytest.mark.environment
@pytest.mark.apply
def test_one_changed_setting_touches_only_the_resources_that_need_it(applied: AppliedEnvironment) -> None:
    surprises = {}
    for name, (changes, expected) in CHANGES.items():
        applied.write(changes)
        if unexpected := find_surprises(list_actions(applied.plan()), expected):
            surprises[name] = unexpected
    assert surprises == {}

    applied.write({"tags": {**TAGS, "owner": "another-team"}})
    tagged = applied.plan()
    assert list_actions(tagged) == dict.fromkeys(list_tagged(tagged), UPDATE), "a tag of all resources"

    for changes, refusal in MOVES:
        applied.write(changes)
        with pytest.raises(FailedError, match="Backend configuration block has changed"):
            applied.plan()
        applied.write(changes, keeps_backend=True)
        with pytest.raises(FailedError, match=refusal):
            applied.refresh_and_plan_without_packages()


def list_tagged(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield the addresses of resources with tags."""
    for one in plan["resource_changes"]:
        if one["mode"] == "managed" and (one["change"]["after"] or {}).get("tags_all"):
            yield one["address"]
