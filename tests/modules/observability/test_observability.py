"""What people hear of endpoints: harm but not during a deployment, waste, events; and what the dashboard adds up."""

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
from sagemaker_sandbox.cloudwatch import expressions
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import HOURS_PER_MONTH, FleetActivity, ServerlessActivity
from sustainable_mlops.footprint.model import estimate
from sustainable_mlops.footprint.quantities import exact_quantity
from sustainable_mlops.plan.joins import ASYNCHRONOUS, REAL_TIME, SERVERLESS
from sustainable_mlops.plan.metrics import UNPUBLISHED
from sustainable_mlops.rules.monitoring.events import DETAIL_TYPES
from sustainable_mlops.settings import validate
from sustainable_mlops.terraform import ROOT
from tests.modules.examples import terraform
from tests.modules.observability.hearing import Hearing
from tests.provider import alone
from tests.sandbox.endpoint_client import EndpointClient
from tests.sandbox.support import wait_until

REGION = "eu-north-1"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GIVEN: dict[str, Any] = {"name_prefix": "shop", "account_id": "123456789012", "region": REGION, "kms_key_arn": KEY}
CHURN: dict[str, Any] = {"name": "shop-churn", "kind": "realtime", "instance_type": "ml.c7g.large"}
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("inputs", "told"),
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
        ({"endpoints": {"churn": {**CHURN, "name": "a" * 64}}}, "must be the name of an endpoint: 1 to 63 letters"),
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
        ({"name_prefix": "aws-shop"}, "idle_stop: Systems Manager rejects runbooks whose name begins with aws, amazon"),
        (
            {"name_prefix": "aws-shop", "idle_stop": "off", "endpoints": {"churn": {**CHURN, "idle_stop": "delete"}}},
            "idle_stop: Systems Manager rejects runbooks whose name begins with aws, amazon",
        ),
        ({"idle_stop": "stop"}, "idle_stop: must be 'off', 'report' or 'delete', not 'stop'"),
        (
            {"endpoints": {"churn": {**CHURN, "idle_stop": "yes"}}},
            "endpoints.churn.idle_stop: must be 'off', 'report' or",
        ),
        (
            {"endpoints": {"churn": {"name": "a", "kind": "serverless", "memory_mb": 1024, "idle_stop": "delete"}}},
            "endpoints.churn.idle_stop: only an idle realtime endpoint has costs; remove it",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as error:
        validate({**GIVEN, **inputs}, Inputs, "settings.yaml")
    assert told in str(error.value)


def test_no_kind_of_endpoint_is_watched_by_what_it_never_publishes() -> None:
    never = {
        alarm_catalogue.REALTIME: UNPUBLISHED[REAL_TIME],
        alarm_catalogue.ASYNC: UNPUBLISHED[ASYNCHRONOUS],
        alarm_catalogue.SERVERLESS: UNPUBLISHED[SERVERLESS] | {"CPUUtilization", "GPUUtilization", "DiskUtilization"},
    }
    looked_at = {
        (kind, line["metric"])
        for kind, shown in alarm_catalogue.list_dashboard_lines().items()
        for line in (*shown["health"], *shown["use"])
    } | {
        (kind, metric)
        for alarm in alarm_catalogue.ALARMS.values()
        for kind in alarm.kinds
        for metric in (alarm.metric, *(one[1] for one in alarm.metrics.values()))
    }
    assert {(kind, metric) for kind, metric in looked_at if metric in never[kind]} == set()


def test_rules_wait_for_events_that_are_sent() -> None:
    waited_for = {one for _, pattern in notifications.EVENTS.values() for one in pattern["detail-type"]}
    assert waited_for | {notifications.DEPLOYMENT, notifications.STATE} <= DETAIL_TYPES


def test_the_tables_are_those_of_the_catalogue() -> None:
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
}

output "topics" {
  value = { alarms = module.observability.alarm_topic_arn, events = module.observability.event_topic_arn }
}
"""


#: Where what this module makes is, in a sandbox whose time is its own.
ENDPOINT, TOPICS = "shop-asked", ("alarms", "events")


class Watched(Hearing):
    """A sandbox with the root module applied."""

    def __init__(self, sandbox: Sandbox, environment: dict[str, str], folder: Path) -> None:
        super().__init__(sandbox, TOPICS)
        self.endpoints, self.environment, self.folder = EndpointClient.prepare(sandbox), environment, folder

    def alarmed(self, name: str, state: str = "ALARM") -> bool:
        """Whether the topic of alarms has told of one."""
        told = [(one["AlarmName"], one["NewStateValue"]) for one in self.heard("alarms") if "AlarmName" in one]
        return (name, state) in told

    def alarms(self, state: str = "ALARM") -> set[str]:
        """The names of those on metrics that are in a state."""
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(StateValue=state, AlarmTypes=["MetricAlarm"])
        return {one["AlarmName"] for page in pages for one in page["MetricAlarms"]}

    def tell(self, endpoint: str, metric: str, value: float, count: int = 1, *, ago: float = 0) -> None:
        """What SageMaker would of an endpoint's variant main, some seconds ago."""
        namespace = alarm_catalogue.MACHINES if metric.endswith("Utilization") else alarm_catalogue.REQUESTS
        told = {
            "MetricName": metric,
            "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "main"}],
            "Timestamp": self.sandbox.advance(0) - timedelta(seconds=ago),
            "Values": [value],
            "Counts": [float(count)],
        }
        self.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[told])

    def deployments(self) -> list[Any]:
        """What the topic of events has told of deployments."""
        return [one for one in self.heard("events") if one["detail-type"] == notifications.DEPLOYMENT]

    def minutes(self, number: int, *, asking: bool = False) -> None:
        for _ in range(number):
            if asking:
                self.ask()
            self.sandbox.advance(60)

    def ask(self) -> str | None:
        """What the endpoint answers; None where it fails."""
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
        found = Watched(sandbox, environment, tmp_path)
        (folder / "main.tf").write_text(ROOT_MODULE)
        (folder / "modules").symlink_to(ROOT / "modules")
        driver = terraform(folder, {**environment, "TF_VAR_kms_key_arn": found.key()})
        driver.apply()
        found.subscribe(driver.output()["topics"])
        config = found.endpoints.create_config(found.endpoints.create_model("good"), count=1)
        found.endpoints.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config)
        found.endpoints.wait_until_settled(ENDPOINT)
        yield found


def of_what_is_not_there_yet_no_waste_is_told_but_workers_that_are_kept_ready(watched: Watched) -> None:
    watched.minutes(3)
    told = {one for one in watched.alarms() if not one.startswith(f"{ENDPOINT}/deploy")}
    assert told == {"shop-warm/provisioned-low"}
    pages = watched.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="shop-")
    names = {one["AlarmName"] for page in pages for one in page["MetricAlarms"]}
    assert {one for one in names if one.endswith("/memory-low")} == {"shop-notes/memory-low"}, "warm has the least"


def harm_is_told_but_not_while_a_deployment_goes_on(watched: Watched) -> None:
    health, deploying = f"{ENDPOINT}/health", f"{ENDPOINT}/deploying"
    assert watched.ask() == "good"
    watched.minutes(6)
    assert watched.alarm(health)["StateValue"] == "OK"

    watched.deploy("")  # nothing that it could say: each request fails
    watched.minutes(2)
    assert watched.alarm(deploying)["StateValue"] == "ALARM"
    watched.minutes(7, asking=True)
    found = watched.alarm(health)
    assert (found["StateValue"], found["ActionsSuppressedBy"]) == ("ALARM", "Alarm")
    assert not watched.alarmed(health), "it is quiet while the deployment goes on"

    watched.minutes(15, asking=True)
    assert watched.alarm(deploying)["StateValue"] == "OK"
    wait_until(lambda: watched.alarmed(health))
    told = [one["id"] for one in watched.deployments()]
    assert len(told) == len(set(told)) > 1, "each step once"


def one_request_that_fails_is_chance(watched: Watched) -> None:
    def fails(endpoint: str, metric: str) -> None:
        watched.tell(endpoint, metric, 1)
        watched.minutes(6)

    for endpoint, metric in (("shop-notes", "Invocation5XXErrors"), ("shop-images", "InvocationFailures")):
        fails(endpoint, metric)
        assert watched.alarm(f"{endpoint}/health")["StateValue"] == "OK"
        fails(endpoint, metric)
        assert watched.alarm(f"{endpoint}/health")["StateValue"] == "ALARM"


def an_endpoint_that_fails_is_told_where_somebody_acts(watched: Watched) -> None:
    broken = watched.folder / "broken"
    broken.touch()
    config = watched.endpoints.create_config(watched.endpoints.create_model("never", broken), count=1)
    name = watched.endpoints.create_endpoint(config)
    failed = [name, "FAILED"]

    def told() -> bool:
        details = [one["detail"] for one in watched.heard("alarms") if "detail" in one]
        return failed in [[one["EndpointName"], one["EndpointStatus"]] for one in details]

    wait_until(told)


def where_idle_endpoints_are_let_be_nothing_could_delete_them(watched: Watched) -> None:
    owned = [{"Key": "Owner", "Values": ["Self"]}]
    assert watched.sandbox.client("ssm").list_documents(Filters=owned)["DocumentIdentifiers"] == []
    roles = [one["RoleName"] for one in watched.sandbox.client("iam").list_roles()["Roles"]]
    assert [role for role in roles if "-events-publisher-" not in role] == ["test"]


def scaling_is_no_deployment(watched: Watched) -> None:
    before = len(watched.deployments())
    assert watched.alarm(f"{ENDPOINT}/deploying")["StateValue"] == "OK"
    watched.endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=ENDPOINT, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}]
    )
    watched.endpoints.wait_until_settled(ENDPOINT)
    watched.minutes(3)
    assert watched.alarm(f"{ENDPOINT}/deploying")["StateValue"] == "OK"
    assert len(watched.deployments()) == before


def waste_is_told(watched: Watched) -> None:
    watched.deploy("good")
    watched.ask()
    for waste in ("idle", "cpu-low"):

        def told(name: str = f"{ENDPOINT}/{waste}") -> bool:
            watched.sandbox.advance(1800)
            return watched.alarmed(name)

        wait_until(told, seconds=300)
    assert not watched.alarmed("shop-notes/memory-low"), "of what never ran nothing is known"
    assert not watched.alarmed(f"{ENDPOINT}/efficiency"), "it is there for less than a day"


def an_asynchronous_endpoint_that_does_not_go_to_none_is_told(watched: Watched) -> None:
    for hour in range(4):
        watched.tell("shop-words", "CPUUtilization", 5, 60, ago=3600 * hour + 1800)
    watched.minutes(2)
    assert {one for one in watched.alarms() if one.startswith("shop-words/")} == {"shop-words/awake"}


def workers_that_are_kept_ready_and_answer_are_no_waste(watched: Watched) -> None:
    for hour in range(4):
        watched.tell("shop-warm", "ModelLatency", 1e6, 800, ago=3600 * hour + 1800)
    watched.minutes(2)
    assert "shop-warm/provisioned-low" not in watched.alarms()


def an_approval_is_told_and_not_what_else_changes_of_the_package(watched: Watched) -> None:
    sagemaker = watched.endpoints.sagemaker
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    arn = sagemaker.create_model_package(ModelPackageGroupName="churn")["ModelPackageArn"]
    for change in ({"ModelApprovalStatus": "Approved"}, {"CustomerMetadataProperties": {"reviewed": "yes"}}):
        sagemaker.update_model_package(ModelPackageArn=arn, **change)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")

    def told() -> list[str]:
        found = [one["detail"] for one in watched.heard("events") if "Model Package" in one["detail-type"]]
        return [one["ModelApprovalStatus"] for one in found]

    wait_until(lambda: "Rejected" in told())
    assert sorted(told()) == ["Approved", "Rejected"]


class Other:
    """The module for an environment that changes, in the same account."""

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


def what_takes_alarms_away_is_applied_and_names_that_look_alike_are_apart(watched: Watched) -> None:
    instances = {"kind": "realtime", "instance_type": "ml.c7g.large"}
    other = Other(watched, watched.folder / "other")
    a = {**instances, "name": "other-a", "variants": ["main", "b"], "latency_slo_ms": 200}
    other.apply(
        a=a,
        a_b={**instances, "name": "other-a-b"},
        jobs={**instances, "name": "other-training-jobs"},
    )
    alarms = watched.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="other-a")
    names = [one["AlarmName"] for page in alarms for one in page["MetricAlarms"]]
    assert len([one for one in names if one.endswith("/errors")]) == 3
    events = watched.sandbox.client("events")
    assert events.list_targets_by_rule(Rule="other-a")["Targets"] == [], "nobody asked for deployments"
    assert [one["Id"] for one in events.list_targets_by_rule(Rule="other.training-jobs")["Targets"]] == ["topic"]

    for hour in range(24):
        watched.tell("other-a", "CPUUtilization", 50, 60, ago=3600 * hour + 1800)
    watched.tell("other-a", "Invocations", 10, ago=1800)
    watched.minutes(1)
    assert "other-a/efficiency" in watched.alarms()

    other.apply(a={**instances, "name": "other-a"}, a_b={"name": "other-a-b", "kind": "serverless", "memory_mb": 1024})
    rule = watched.alarm("other-a/health")["AlarmRule"]
    assert "other-a/errors" in rule
    assert "latency" not in rule
    assert watched.alarm("other-a-b/health")["AlarmRule"].count("ALARM") == 3


# The dashboard's math, over a day of which everything is known.


@dataclass(frozen=True)
class Shape:
    """What a machine does in each ten minutes of the day: how many there are, and how busy each is."""

    count: int
    load: float


#: Least by night and most in the afternoon, when there are three.
SHAPES = [
    Shape(3 if 48 <= step < 120 else 1, round(0.35 - 0.3 * math.cos(2 * math.pi * (step - 18) / 144), 3))
    for step in range(144)
]
MINUTES = [shape for shape in SHAPES for _ in range(10)]
#: Requests of a minute, each of half a second, to a serverless worker that is as busy.
SECONDS = 0.5


def have_a_day(watched: Watched) -> datetime:
    """When a day begins whose metrics are there, as endpoints would tell them each minute; what was told before of the
    last hours is not in it."""
    begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - 2 * DAY

    def tell(endpoint: str, namespace: str, metric: str, values: Sequence[tuple[float, int]], variant: str) -> None:
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
        busy = [(100 * vcpus * shape.load, shape.count) for shape in MINUTES]
        tell(endpoint, alarm_catalogue.MACHINES, "CPUUtilization", busy, variant)
    used = [(100 * shape.load, shape.count) for shape in MINUTES]
    tell("shop-images", alarm_catalogue.MACHINES, "GPUUtilization", used, "main")
    asked = [(SECONDS * 1e6, requests(shape)) for shape in MINUTES]
    for endpoint in ("shop-notes", "shop-warm"):
        tell(endpoint, alarm_catalogue.REQUESTS, "ModelLatency", asked, "main")
    return begin


def requests(shape: Shape) -> int:
    """Requests of a minute."""
    return round(60 * shape.load * shape.count / SECONDS)


def of_model(endpoint: str) -> tuple[float, float]:
    """kg CO2e and USD of the day by the footprint model, which is told what the machines really did."""
    found = [_of_model(endpoint, shape) for shape in SHAPES]
    return sum(kg for kg, _ in found), sum(usd for _, usd in found)


def _of_model(endpoint: str, shape: Shape) -> tuple[float, float]:
    types = {"shop-curve/new-one": "ml.c7g.xlarge", "shop-images": "ml.g5.xlarge", "shop-words": "ml.inf2.xlarge"}
    if endpoint in types:
        hours, duty = exact_quantity(shape.count / 6), exact_quantity(shape.load if endpoint != "shop-words" else 0.1)
        figures = estimate(FleetActivity(types[endpoint], REGION, hours=hours, duty=duty)).figures
        return figures["total"].central, figures["cost"].central
    memory = {"shop-notes": 2048, "shop-warm": 1024}[endpoint]
    answered, lasting = exact_quantity(10.0 * requests(shape)), exact_quantity(SECONDS)
    whole = estimate(ServerlessActivity(memory, REGION, answered, lasting)).figures
    if endpoint == "shop-notes":
        return whole["total"].central, whole["cost"].central
    # What is kept ready all the month, for ten minutes of it, of which it answers so many.
    month = HOURS_PER_MONTH * 6
    busy = exact_quantity(month * 10.0 * requests(shape))
    kept = estimate(ServerlessActivity(memory, REGION, busy, lasting, provisioned=exact_quantity(2.0))).figures
    return kept["total"].central / month, whole["cost"].central


def drawn(cloudwatch: Any, title: str, begin: datetime) -> dict[str, list[float]]:
    """What the dashboard's graph of this title draws over a day, by label: its own expressions, as GetMetricData."""
    body = json.loads(cloudwatch.get_dashboard(DashboardName="shop")["DashboardBody"])
    [graph] = [one["properties"] for one in body["widgets"] if one["properties"].get("title", "").startswith(title)]
    asked = [_query(metric, graph["period"]) for metric in graph["metrics"]]
    answer = cloudwatch.get_metric_data(MetricDataQueries=asked, StartTime=begin, EndTime=begin + DAY)
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
    asked = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return query | {"MetricStat": {"Metric": asked, "Period": period, "Stat": options["stat"]}}


ENDPOINTS = ("shop-curve/new-one", "shop-images", "shop-notes", "shop-warm", "shop-words")


def over_a_day_the_dashboard_agrees_with_the_footprint_model_within_5_percent(watched: Watched) -> None:
    day = have_a_day(watched)
    modelled = {endpoint: of_model(endpoint) for endpoint in ENDPOINTS}
    for place, unit in enumerate(("kg CO2e", "USD")):
        hours = drawn(watched.cloudwatch, f"{unit} by hour, estimated (", day)
        assert {label: len(values) for label, values in hours.items() if values} == dict.fromkeys(ENDPOINTS, 24)
        before = drawn(watched.cloudwatch, f"{unit} by hour, estimated (", day - 2 * DAY)
        assert not any(before.values()), "of what was not there nothing is drawn"
        for endpoint, figures in modelled.items():
            assert sum(hours[endpoint]) == pytest.approx(figures[place], rel=0.05), endpoint
        whole = drawn(watched.cloudwatch, f"{unit} by day, all of these, estimated", day)
        [low], [central], [high] = (whole[label] for label in ("at least", unit, "at most"))
        assert central == pytest.approx(sum(figures[place] for figures in modelled.values()), rel=0.05)
        assert low < central < high


def the_dashboard_is_one_that_cloudwatch_takes(watched: Watched) -> None:
    """Its own checks are not the sandbox's: API reference, "Dashboard Body Structure and Syntax", and the quotas."""
    body = json.loads(watched.cloudwatch.get_dashboard(DashboardName="shop")["DashboardBody"])
    graphs = [one["properties"] for one in body["widgets"] if one["type"] == "metric"]
    for graph in graphs:
        options = [metric[-1] for metric in graph["metrics"]]
        ids = {one["id"] for one in options}
        assert len(ids) == len(options) <= 500, graph["title"]
        assert all(re.fullmatch(r"[a-z][a-zA-Z0-9_]{0,254}", one) for one in ids)
        named = {name for one in options if "expression" in one for name in expressions.list_names(one["expression"])}
        assert named <= ids, graph["title"]
        assert any(one.get("visible", True) for one in options), graph["title"]
        assert len({one["label"] for one in options if one.get("visible", True)}) == sum(
            one.get("visible", True) for one in options
        ), graph["title"]
    assert sum(len(graph["metrics"]) for graph in graphs) <= 2500
    assert all(1 <= one["width"] <= 24 for one in body["widgets"])
    told = [arn for one in body["widgets"] if one["type"] == "alarm" for arn in one["properties"]["alarms"]]
    assert len(told) == len(set(told))
    there = watched.cloudwatch.describe_alarms(AlarmNamePrefix="shop-", AlarmTypes=["CompositeAlarm"])
    assert {one["AlarmArn"] for one in there["CompositeAlarms"] if one["AlarmName"].endswith("/health")} <= set(told)


@pytest.mark.apply
def test_what_is_heard_and_seen_of_endpoints(watched: Watched) -> None:
    """One after the other: what has come of the hours before is where the next begins."""
    for happens in (
        of_what_is_not_there_yet_no_waste_is_told_but_workers_that_are_kept_ready,
        harm_is_told_but_not_while_a_deployment_goes_on,
        one_request_that_fails_is_chance,
        an_endpoint_that_fails_is_told_where_somebody_acts,
        where_idle_endpoints_are_let_be_nothing_could_delete_them,
        scaling_is_no_deployment,
        waste_is_told,
        an_asynchronous_endpoint_that_does_not_go_to_none_is_told,
        workers_that_are_kept_ready_and_answer_are_no_waste,
        an_approval_is_told_and_not_what_else_changes_of_the_package,
        what_takes_alarms_away_is_applied_and_names_that_look_alike_are_apart,
        over_a_day_the_dashboard_agrees_with_the_footprint_model_within_5_percent,
        the_dashboard_is_one_that_cloudwatch_takes,
    ):
        print(happens.__name__)
        happens(watched)
