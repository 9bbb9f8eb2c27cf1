"""Alarms, event notifications and the dashboard of the module `observability`."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modules.observability import alarm_catalogue, factors, notifications
from modules.observability.inputs import Inputs
from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.services.cloudwatch import expressions
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import validate
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import FleetActivity, ServerlessActivity
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import make_exact
from sustainable_mlops.plan.joins import ASYNCHRONOUS, REAL_TIME, SERVERLESS
from sustainable_mlops.plan.metrics import UNPUBLISHED
from sustainable_mlops.rules.monitoring.events import DETAIL_TYPES
from tests.cases import check_cases
from tests.modules.examples import terraform
from tests.modules.observability.topic_listener import TopicListener
from tests.provider import alone
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import wait_until

REGION = "eu-north-1"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GIVEN: dict[str, Any] = {"name_prefix": "shop", "account_id": "123456789012", "region": REGION, "kms_key_arn": KEY}
CHURN: dict[str, Any] = {"name": "shop-churn", "kind": "realtime", "instance_type": "ml.c7g.large"}
DAY = timedelta(days=1)


@check_cases(
    ("inputs", "message"),
    [
        (
            {"endpoints": {"churn": {"name": "shop-churn", "kind": "realtime"}}},
            "endpoints.churn.instance_type: set it for a realtime or async endpoint",
        ),
        (
            {"endpoints": {"churn": {**CHURN, "kind": "serverless", "memory_mb": 2048}}},
            "endpoints.churn.instance_type: set it for a realtime or async endpoint; a serverless endpoint has",
        ),
        ({"endpoints": {"churn": {**CHURN, "memory_mb": 2048}}}, "endpoints.churn.memory_mb: set it for a serverless"),
        (
            {"endpoints": {"churn": {**CHURN, "provisioned_concurrency": 1}}},
            "endpoints.churn.provisioned_concurrency: only a serverless endpoint has provisioned workers",
        ),
        (
            {"endpoints": {"churn": {**CHURN, "kind": "batch"}}},
            "endpoints.churn.kind: must be 'realtime', 'async' or 'serverless', not 'batch'",
        ),
        ({"endpoints": {"churn": {**CHURN, "name": "a" * 64}}}, "must be 1 to 63 letters, digits and hyphens, without"),
        ({"endpoints": {"Churn": CHURN}}, "must be 1 to 63 lower-case letters, digits and underscores"),
        ({"thresholds": {"cpu": 1.0}}, "thresholds.cpu"),
        ({"events": ["jobs"]}, "events[0]: must be 'deployments', "),
        ({"endpoints": {"churn": {**CHURN, "variants": []}}}, "endpoints.churn.variants"),
        (
            {"endpoints": {"churn": {**CHURN, "variants": ["new", "new"]}}},
            "endpoints.churn.variants: two variants have the same name",
        ),
        (
            {"endpoints": {"churn": {"name": "shop-churn", "kind": "serverless", "memory_mb": 1500}}},
            "endpoints.churn.memory_mb: must be one of 1024, 2048",
        ),
        ({"endpoints": {"churn": CHURN, "again": CHURN}}, "endpoints: two endpoints have the same name"),
        ({"endpoints": {"churn": {**CHURN, "deployment_minutes": 0}}}, "endpoints.churn.deployment_minutes"),
        ({"log_groups": ["a b"]}, "must be the name of a log group"),
        ({"waste_hours": 169}, "waste_hours: must be less than or equal to 168"),
        ({"name_prefix": "aws-shop"}, "idle_stop: Systems Manager refuses runbooks whose name begins with aws, amazon"),
        (
            {"name_prefix": "aws-shop", "idle_stop": "off", "endpoints": {"churn": {**CHURN, "idle_stop": "delete"}}},
            "idle_stop: Systems Manager refuses runbooks whose name begins with aws, amazon",
        ),
        ({"idle_stop": "stop"}, "idle_stop: must be 'off', 'report' or 'delete', not 'stop'"),
        (
            {"endpoints": {"churn": {**CHURN, "idle_stop": "yes"}}},
            "endpoints.churn.idle_stop: must be 'off', 'report' or",
        ),
        (
            {"endpoints": {"churn": {"name": "a", "kind": "serverless", "memory_mb": 1024, "idle_stop": "delete"}}},
            "endpoints.churn.idle_stop: only an idle real-time endpoint has costs; remove it",
        ),
    ],
)
def test_invalid_settings_are_rejected(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert message in str(error.value)


def test_alarms_use_only_metrics_that_the_kind_of_endpoint_publishes() -> None:
    unpublished = {
        alarm_catalogue.REALTIME: UNPUBLISHED[REAL_TIME],
        alarm_catalogue.ASYNC: UNPUBLISHED[ASYNCHRONOUS],
        alarm_catalogue.SERVERLESS: UNPUBLISHED[SERVERLESS] | {"CPUUtilization", "GPUUtilization", "DiskUtilization"},
    }
    used_metrics = {
        (kind, line["metric"])
        for kind, lines in alarm_catalogue.list_dashboard_lines().items()
        for line in (*lines["health"], *lines["use"])
    } | {
        (kind, metric)
        for alarm in alarm_catalogue.ALARMS.values()
        for kind in alarm.kinds
        for metric in (alarm.metric, *(one[1] for one in alarm.metrics.values()))
    }
    assert {(kind, metric) for kind, metric in used_metrics if metric in unpublished[kind]} == set()


def test_rules_match_documented_events() -> None:
    matched = {one for _, pattern in notifications.EVENTS.values() for one in pattern["detail-type"]}
    assert matched | {notifications.DEPLOYMENT, notifications.STATE} <= DETAIL_TYPES


def test_the_tables_equal_those_of_the_catalogue() -> None:
    folder = ROOT / "modules" / "observability"
    assert {name: (folder / name).read_text() for name in factors.render_tables()} == factors.render_tables()


ROOT_MODULE = """
variable "kms_key_arn" {
  type = string
}

module "observability" {
  source = "./modules/observability"

  name_prefix        = "shop"
  account_id         = "123456789012"
  region             = "eu-north-1"
  kms_key_arn        = var.kms_key_arn
  waste_hours        = 3
  idle_stop          = "off"
  log_groups         = []

  endpoints = {
    asked  = { name = "shop-asked", kind = "realtime", instance_type = "ml.c7g.large", deployment_minutes = 15 }
    curve  = { name = "shop-curve", kind = "realtime", instance_type = "ml.c7g.xlarge", variants = ["new-one"] }
    images = { name = "shop-images", kind = "async", instance_type = "ml.g5.xlarge" }
    notes  = { name = "shop-notes", kind = "serverless", memory_mb = 2048 }
    warm   = { name = "shop-warm", kind = "serverless", memory_mb = 1024, provisioned_concurrency = 2 }
    words  = { name = "shop-words", kind = "async", instance_type = "ml.inf2.xlarge" }
  }

  subscribers = {
    alarms = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-north-1:123456789012:alarms" }
    events = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-north-1:123456789012:events", topics = ["events"] }
  }
}
"""


#: The endpoint that exists, and the topics.
ENDPOINT, TOPICS = "shop-asked", ("alarms", "events")


class Watched(TopicListener):
    """A sandbox with its own time, where the root module is applied."""

    def __init__(self, sandbox: Sandbox, environment: dict[str, str], folder: Path) -> None:
        super().__init__(sandbox, TOPICS)
        self.endpoints, self.environment, self.folder = EndpointClient.prepare(sandbox), environment, folder

    def is_notified(self, name: str, state: str = "ALARM") -> bool:
        """Return whether the alarm topic received a change of this alarm to `state`."""
        changes = [
            (one["AlarmName"], one["NewStateValue"]) for one in self.receive_messages("alarms") if "AlarmName" in one
        ]
        return (name, state) in changes

    def alarms(self, state: str = "ALARM") -> set[str]:
        """Return the names of the metric alarms in a state."""
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(StateValue=state, AlarmTypes=["MetricAlarm"])
        return {one["AlarmName"] for page in pages for one in page["MetricAlarms"]}

    def publish_metric(self, endpoint: str, metric: str, value: float, count: int = 1, *, ago: float = 0) -> None:
        """Publish a metric of the variant main as SageMaker does, `ago` seconds in the past."""
        namespace = alarm_catalogue.INSTANCES if metric.endswith("Utilization") else alarm_catalogue.REQUESTS
        data = {
            "MetricName": metric,
            "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}],
            "Timestamp": self.sandbox.advance(0) - timedelta(seconds=ago),
            "Values": [value],
            "Counts": [float(count)],
        }
        self.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[data])

    def deployments(self) -> list[Any]:
        """Return the deployment events that the event topic received."""
        return [one for one in self.receive_messages("events") if one["detail-type"] == notifications.DEPLOYMENT]

    def minutes(self, number: int, *, asking: bool = False) -> None:
        for _ in range(number):
            if asking:
                self.invoke()
            self.sandbox.advance(60)

    def invoke(self) -> str | None:
        """Return the response of the endpoint; None if it fails."""
        try:
            return self.endpoints.invoke(ENDPOINT)
        except self.endpoints.runtime.exceptions.ModelError:
            return None

    def deploy(self, says: str) -> None:
        config = self.endpoints.create_config(self.endpoints.create_model(says), count=1)
        self.endpoints.start_update(ENDPOINT, config)
        self.endpoints.wait_until_settled(ENDPOINT)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    folder = tmp_path / "root"
    folder.mkdir()
    with alone(tmp_path / "log") as (sandbox, environment):
        applied = Watched(sandbox, environment, tmp_path)
        (folder / "main.tf").write_text(ROOT_MODULE)
        (folder / "modules").symlink_to(ROOT / "modules")
        driver = terraform(folder, {**environment, "TF_VAR_kms_key_arn": applied.key()})
        for topic in TOPICS:
            applied.create_queue(topic)
        driver.apply()
        config = applied.endpoints.create_config(applied.endpoints.create_model("good"), count=1)
        applied.endpoints.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config)
        applied.endpoints.wait_until_settled(ENDPOINT)
        yield applied


def check_missing_metrics_raise_only_the_alarm_of_warm_workers(watched: Watched) -> None:
    watched.minutes(3)
    raised = {one for one in watched.alarms() if not one.startswith(f"{ENDPOINT}/deploy")}
    assert raised == {"shop-warm/provisioned-low"}
    pages = watched.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="shop-")
    names = {one["AlarmName"] for page in pages for one in page["MetricAlarms"]}
    assert {one for one in names if one.endswith("/memory-low")} == {"shop-notes/memory-low"}, "warm has the least"


def check_error_alarms_pause_during_deployments(watched: Watched) -> None:
    health, deploying = f"{ENDPOINT}/health", f"{ENDPOINT}/deploying"
    assert watched.invoke() == "good"
    watched.minutes(6)
    assert watched.alarm(health)["StateValue"] == "OK"

    watched.deploy("")  # each request fails
    watched.minutes(2)
    assert watched.alarm(deploying)["StateValue"] == "ALARM"
    watched.minutes(7, asking=True)
    result = watched.alarm(health)
    assert (result["StateValue"], result["ActionsSuppressedBy"]) == ("ALARM", "Alarm")
    assert not watched.is_notified(health), "no notification during the deployment"

    watched.minutes(15, asking=True)
    assert watched.alarm(deploying)["StateValue"] == "OK"
    wait_until(lambda: watched.is_notified(health))
    ids = [one["id"] for one in watched.deployments()]
    assert len(ids) == len(set(ids)) > 1, "one event for each step"


def check_a_single_failed_request_raises_no_alarm(watched: Watched) -> None:
    def report_failure(endpoint: str, metric: str) -> None:
        watched.publish_metric(endpoint, metric, 1)
        watched.minutes(6)

    for endpoint, metric in (("shop-notes", "Invocation5XXErrors"), ("shop-images", "InvocationFailures")):
        report_failure(endpoint, metric)
        assert watched.alarm(f"{endpoint}/health")["StateValue"] == "OK"
        report_failure(endpoint, metric)
        assert watched.alarm(f"{endpoint}/health")["StateValue"] == "ALARM"


def check_a_failed_endpoint_is_reported_to_the_alarm_topic(watched: Watched) -> None:
    broken = watched.folder / "broken"
    broken.touch()
    config = watched.endpoints.create_config(watched.endpoints.create_model("never", broken), count=1)
    name = watched.endpoints.create_endpoint(config)
    failed = [name, "FAILED"]

    def is_reported() -> bool:
        details = [one["detail"] for one in watched.receive_messages("alarms") if "detail" in one]
        return failed in [[one["EndpointName"], one["EndpointStatus"]] for one in details]

    wait_until(is_reported)


def check_without_idle_stop_nothing_can_delete_endpoints(watched: Watched) -> None:
    owned = [{"Key": "Owner", "Values": ["Self"]}]
    assert watched.sandbox.client("ssm").list_documents(Filters=owned)["DocumentIdentifiers"] == []
    roles = [one["RoleName"] for one in watched.sandbox.client("iam").list_roles()["Roles"]]
    assert [role for role in roles if "-events-publisher-" not in role] == ["test"]


def check_scaling_is_not_reported_as_deployment(watched: Watched) -> None:
    before = len(watched.deployments())
    assert watched.alarm(f"{ENDPOINT}/deploying")["StateValue"] == "OK"
    watched.endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=ENDPOINT, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}]
    )
    watched.endpoints.wait_until_settled(ENDPOINT)
    watched.minutes(3)
    assert watched.alarm(f"{ENDPOINT}/deploying")["StateValue"] == "OK"
    assert len(watched.deployments()) == before


def check_waste_is_reported(watched: Watched) -> None:
    watched.deploy("good")
    watched.invoke()
    for waste in ("idle", "cpu-low"):

        def is_notified(name: str = f"{ENDPOINT}/{waste}") -> bool:
            watched.sandbox.advance(1800)
            return watched.is_notified(name)

        wait_until(is_notified)
    assert not watched.is_notified("shop-notes/memory-low"), "an endpoint without metrics raises no alarm"
    assert not watched.is_notified(f"{ENDPOINT}/efficiency"), "the endpoint exists for less than a day"


def check_an_asynchronous_endpoint_that_stays_up_is_reported(watched: Watched) -> None:
    for hour in range(4):
        watched.publish_metric("shop-words", "CPUUtilization", 5, 60, ago=3600 * hour + 1800)
    watched.minutes(2)
    assert {one for one in watched.alarms() if one.startswith("shop-words/")} == {"shop-words/idle-instances"}


def check_used_warm_workers_are_not_waste(watched: Watched) -> None:
    for hour in range(4):
        watched.publish_metric("shop-warm", "ModelLatency", 1e6, 800, ago=3600 * hour + 1800)
    watched.minutes(2)
    assert "shop-warm/provisioned-low" not in watched.alarms()


def check_only_approval_changes_of_packages_are_reported(watched: Watched) -> None:
    sagemaker = watched.endpoints.sagemaker
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    arn = sagemaker.create_model_package(ModelPackageGroupName="churn")["ModelPackageArn"]
    for change in ({"ModelApprovalStatus": "Approved"}, {"CustomerMetadataProperties": {"reviewed": "yes"}}):
        sagemaker.update_model_package(ModelPackageArn=arn, **change)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")

    def list_statuses() -> list[str]:
        result = [one["detail"] for one in watched.receive_messages("events") if "Model Package" in one["detail-type"]]
        return [one["ModelApprovalStatus"] for one in result]

    wait_until(lambda: "Rejected" in list_statuses())
    assert sorted(list_statuses()) == ["Approved", "Rejected"]


class OtherEnvironment:
    """A second environment in the same account, with different endpoints at each apply."""

    def __init__(self, watched: Watched, folder: Path) -> None:
        folder.mkdir()
        (folder / "main.tf").write_text(OTHER_MODULE)
        (folder / "modules").symlink_to(ROOT / "modules")
        self._driver = terraform(folder, {**watched.environment, "TF_VAR_kms_key_arn": watched.key()})

    def apply(self, **endpoints: Mapping[str, Any]) -> None:
        variables = {"endpoints": json.dumps(endpoints)}
        self._driver.apply(tf_vars=variables)
        changes = self._driver.plan(output=True, tf_vars=variables).resource_changes.values()
        assert {one["address"] for one in changes if one["change"]["actions"] != ["no-op"]} == set()


OTHER_MODULE = """
variable "kms_key_arn" {
  type = string
}

variable "endpoints" {
  type = any
}

module "observability" {
  source = "./modules/observability"

  name_prefix = "other"
  account_id  = "123456789012"
  region      = "eu-north-1"
  kms_key_arn = var.kms_key_arn
  endpoints   = var.endpoints
  events      = ["training_jobs"]
  waste_hours = 3
  log_groups  = []
}
"""


def check_alarms_are_removed_and_similar_names_stay_separate(watched: Watched) -> None:
    instances = {"kind": "realtime", "instance_type": "ml.c7g.large"}
    other = OtherEnvironment(watched, watched.folder / "other")
    a = {**instances, "name": "other-a", "variants": ["main", "b"], "latency_slo_ms": 200}
    other.apply(a=a, a_b={**instances, "name": "other-a-b"}, jobs={**instances, "name": "other-training-jobs"})
    alarms = watched.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="other-a")
    names = [one["AlarmName"] for page in alarms for one in page["MetricAlarms"]]
    assert len([one for one in names if one.endswith("/errors")]) == 3
    events = watched.sandbox.client("events")
    assert events.list_targets_by_rule(Rule="other-a")["Targets"] == [], "deployments are not among its events"
    assert [one["Id"] for one in events.list_targets_by_rule(Rule="other.training-jobs")["Targets"]] == ["topic"]

    for hour in range(24):
        watched.publish_metric("other-a", "CPUUtilization", 50, 60, ago=3600 * hour + 1800)
    watched.publish_metric("other-a", "Invocations", 10, ago=1800)
    watched.minutes(1)
    assert "other-a/efficiency" in watched.alarms()

    other.apply(a={**instances, "name": "other-a"}, a_b={"name": "other-a-b", "kind": "serverless", "memory_mb": 1024})
    rule = watched.alarm("other-a/health")["AlarmRule"]
    assert "other-a/errors" in rule
    assert "latency" not in rule
    assert watched.alarm("other-a-b/health")["AlarmRule"].count("ALARM") == 3


# The expressions of the dashboard, over a day of known metrics.


@dataclass(frozen=True)
class LoadStep:
    """The number of instances and the load of each, in ten minutes of the day."""

    count: int
    load: float


#: Load is lowest at night and highest in the afternoon, with three instances.
LOAD_STEPS = [
    LoadStep(3 if 48 <= step < 120 else 1, round(0.35 - 0.3 * math.cos(2 * math.pi * (step - 18) / 144), 3))
    for step in range(144)
]
MINUTES = [step_load for step_load in LOAD_STEPS for _ in range(10)]
#: Duration of a request to a serverless endpoint, in seconds.
REQUEST_S = 0.5


def publish_day(watched: Watched) -> datetime:
    """Publish the metrics of a day, as endpoints do each minute, and return its start. Earlier checks published none in
    this day."""
    begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - 2 * DAY

    def put_metric(
        endpoint: str, namespace: str, metric: str, values: Sequence[tuple[float, int]], variant: str
    ) -> None:
        dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
        data = [
            {
                "MetricName": metric,
                "Dimensions": dimensions,
                "Timestamp": begin + timedelta(minutes=minute),
                "Values": [value],
                "Counts": [float(count)],
            }
            for minute, (value, count) in enumerate(values)
            if count
        ]
        for start in range(0, len(data), 500):
            watched.cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + 500])

    for endpoint, vcpus, variant in (
        ("shop-curve", 4, "new-one"),
        ("shop-images", 4, "main"),
        ("shop-words", 4, "main"),
    ):
        busy = [(100 * vcpus * step_load.load, step_load.count) for step_load in MINUTES]
        put_metric(endpoint, alarm_catalogue.INSTANCES, "CPUUtilization", busy, variant)
    used = [(100 * step_load.load, step_load.count) for step_load in MINUTES]
    put_metric("shop-images", alarm_catalogue.INSTANCES, "GPUUtilization", used, "main")
    latencies = [(REQUEST_S * 1e6, requests(step_load)) for step_load in MINUTES]
    for endpoint in ("shop-notes", "shop-warm"):
        put_metric(endpoint, alarm_catalogue.REQUESTS, "ModelLatency", latencies, "main")
    return begin


def requests(step_load: LoadStep) -> int:
    """Return the number of requests in a minute, for the same load on a serverless endpoint."""
    return round(60 * step_load.load * step_load.count / REQUEST_S)


def estimate_day(endpoint: str) -> tuple[float, float]:
    """Return kgCO2e and USD of the day by the footprint model, from the real load."""
    estimates = [_estimate_step(endpoint, step_load) for step_load in LOAD_STEPS]
    return sum(kg for kg, _ in estimates), sum(usd for _, usd in estimates)


def _estimate_step(endpoint: str, step_load: LoadStep) -> tuple[float, float]:
    types = {"shop-curve/new-one": "ml.c7g.xlarge", "shop-images": "ml.g5.xlarge", "shop-words": "ml.inf2.xlarge"}
    if endpoint in types:
        hours, duty = (make_exact(step_load.count / 6), make_exact(step_load.load if endpoint != "shop-words" else 0.1))
        figures = estimate(FleetActivity(types[endpoint], REGION, hours=hours, duty=duty)).figures
        return figures["total"].central, figures["cost"].central
    memory = {"shop-notes": 2048, "shop-warm": 1024}[endpoint]
    answered, duration = make_exact(10.0 * requests(step_load)), make_exact(REQUEST_S)
    whole = estimate(ServerlessActivity(memory, REGION, answered, duration)).figures
    if endpoint == "shop-notes":
        return whole["total"].central, whole["cost"].central
    # The model takes a month of provisioned workers; this is the part of ten minutes.
    month = HOURS_PER_MONTH * 6
    busy = make_exact(month * 10.0 * requests(step_load))
    provisioned = estimate(ServerlessActivity(memory, REGION, busy, duration, provisioned=make_exact(2.0))).figures
    return provisioned["total"].central / month, whole["cost"].central


def read_graph(cloudwatch: Any, title: str, begin: datetime) -> dict[str, list[float]]:
    """Return the values of a dashboard graph over a day, by label, from GetMetricData."""
    body = json.loads(cloudwatch.get_dashboard(DashboardName="shop")["DashboardBody"])
    [graph] = [one["properties"] for one in body["widgets"] if one["properties"].get("title", "").startswith(title)]
    queries = [_query(metric, graph["period"]) for metric in graph["metrics"]]
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=begin, EndTime=begin + DAY)
    return {one["Label"]: one["Values"] for one in answer["MetricDataResults"]}


def _query(metric: list[Any], period: int) -> dict[str, Any]:
    *names, options = metric
    query = {"Id": options["id"], "ReturnData": options.get("visible", True)}
    if "label" in options:
        query["Label"] = options["label"]
    if "expression" in options:
        return query | {"Expression": options["expression"]}
    namespace, name, *pairs = names
    dimensions = [{"Name": one, "Value": value} for one, value in zip(pairs[::2], pairs[1::2], strict=True)]
    metric_query = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return query | {"MetricStat": {"Metric": metric_query, "Period": period, "Stat": options["stat"]}}


ENDPOINTS = ("shop-curve/new-one", "shop-images", "shop-notes", "shop-warm", "shop-words")


def check_the_dashboard_agrees_with_the_footprint_model_within_5_percent(watched: Watched) -> None:
    day = publish_day(watched)
    modelled = {endpoint: estimate_day(endpoint) for endpoint in ENDPOINTS}
    for index, unit in enumerate(("kgCO2e", "USD")):
        hours = read_graph(watched.cloudwatch, f"{unit} by hour, estimated (", day)
        assert {label: len(values) for label, values in hours.items() if values} == dict.fromkeys(ENDPOINTS, 24)
        before = read_graph(watched.cloudwatch, f"{unit} by hour, estimated (", day - 2 * DAY)
        assert not any(before.values()), "no values without metrics"
        for endpoint, figures in modelled.items():
            assert sum(hours[endpoint]) == pytest.approx(figures[index], rel=0.05), endpoint
        whole = read_graph(watched.cloudwatch, f"{unit} by day, all endpoints, estimated", day)
        [low], [central], [high] = (whole[label] for label in ("lower bound", unit, "upper bound"))
        assert central == pytest.approx(sum(figures[index] for figures in modelled.values()), rel=0.05)
        assert low <= central <= high
        assert low < high or unit == "USD", "a listed price has no interval, carbon has one"


def check_the_dashboard_is_valid_for_cloudwatch(watched: Watched) -> None:
    """Check the rules that the sandbox does not: API reference, "Dashboard Body Structure and Syntax", and quotas."""
    body = json.loads(watched.cloudwatch.get_dashboard(DashboardName="shop")["DashboardBody"])
    graphs = [one["properties"] for one in body["widgets"] if one["type"] == "metric"]
    for graph in graphs:
        options = [metric[-1] for metric in graph["metrics"]]
        ids = {one["id"] for one in options}
        assert len(ids) == len(options) <= 500, graph["title"]
        assert all(re.fullmatch(r"[a-z][a-zA-Z0-9_]{0,254}", one) for one in ids)
        used_ids = {
            name for one in options if "expression" in one for name in expressions.list_names(one["expression"])
        }
        assert used_ids <= ids, graph["title"]
        assert any(one.get("visible", True) for one in options), graph["title"]
        assert len({one["label"] for one in options if one.get("visible", True)}) == sum(
            one.get("visible", True) for one in options
        ), graph["title"]
    assert sum(len(graph["metrics"]) for graph in graphs) <= 2500
    assert all(1 <= one["width"] <= 24 for one in body["widgets"])
    arns = [arn for one in body["widgets"] if one["type"] == "alarm" for arn in one["properties"]["alarms"]]
    assert len(arns) == len(set(arns))
    there = watched.cloudwatch.describe_alarms(AlarmNamePrefix="shop-", AlarmTypes=["CompositeAlarm"])
    assert {one["AlarmArn"] for one in there["CompositeAlarms"] if one["AlarmName"].endswith("/health")} <= set(arns)


@pytest.mark.apply
def test_alarms_events_and_dashboard_of_endpoints(watched: Watched) -> None:
    """Run the checks in this order; each starts from the state after the one before."""
    for check in (
        check_missing_metrics_raise_only_the_alarm_of_warm_workers,
        check_error_alarms_pause_during_deployments,
        check_a_single_failed_request_raises_no_alarm,
        check_a_failed_endpoint_is_reported_to_the_alarm_topic,
        check_without_idle_stop_nothing_can_delete_endpoints,
        check_scaling_is_not_reported_as_deployment,
        check_waste_is_reported,
        check_an_asynchronous_endpoint_that_stays_up_is_reported,
        check_used_warm_workers_are_not_waste,
        check_only_approval_changes_of_packages_are_reported,
        check_alarms_are_removed_and_similar_names_stay_separate,
        check_the_dashboard_agrees_with_the_footprint_model_within_5_percent,
        check_the_dashboard_is_valid_for_cloudwatch,
    ):
        print(check.__name__)
        check(watched)
