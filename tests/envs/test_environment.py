"""The composition: what of the settings reaches which block of the root module."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from envs import settings
from envs.common import CommonSettings
from envs.component import Component
from envs.components.access import Access
from envs.components.platform import Platform
from envs.components.storage import Storage
from envs.environment import COMPONENTS
from envs.names import EnvironmentName
from sustainable_mlops import synth
from sustainable_mlops.errors import UserError
from sustainable_mlops.terraform import ROOT

Environment = Callable[..., Any]


def test_state_locks_itself_and_stays_in_the_account(environment: Environment, dev: dict[str, Any]) -> None:
    backend = environment().json()["terraform"]["backend"]["s3"]
    assert backend == {
        "bucket": dev["state"]["bucket"],
        "key": "dev/terraform.tfstate",
        "region": "eu-north-1",
        "encrypt": True,
        "use_lockfile": True,
        "allowed_account_ids": [dev["account_id"]],
    }


def test_a_role_to_assume_reaches_the_provider_and_the_state(environment: Environment, dev: dict[str, Any]) -> None:
    role = "arn:aws:iam::123456789012:role/terraform"
    root = environment(assume_role_arn=role)
    body = root.json()
    (provider,) = body["provider"]["aws"]
    assert provider["assume_role"] == {"role_arn": role}
    assert provider["allowed_account_ids"] == [dev["account_id"]]
    assert body["terraform"]["backend"]["s3"]["assume_role"] == {"role_arn": role}
    main, versions = root.files()["main.tf"], root.files()["versions.tf"]
    assert f'assume_role {{\nrole_arn = "{role}"\n}}' in main, "the provider takes a block"
    assert f'assume_role = {{\nrole_arn = "{role}"\n}}' in versions, "the backend takes an object"


def test_the_provider_tags_everything(environment: Environment) -> None:
    (provider,) = environment().json()["provider"]["aws"]
    assert set(provider["default_tags"]["tags"]) == {
        *("workload", "environment", "owner", "data_class", "latency_slo", "expires_on"),
    }


def test_data_is_protected_unless_the_settings_say_otherwise(environment: Environment) -> None:
    calls = environment(deletion_protection=None).json()["module"]
    assert all(calls[name]["deletion_protection"] for name in ("storage", "feature_store", "model_registry"))


def test_an_environment_of_settings_alone_has_no_endpoint_and_no_feature_group(environment: Environment) -> None:
    body = environment(feature_groups={}, models={}, pipelines={}).json()
    assert body["module"]["feature_store"]["feature_groups"] == {}
    assert set(body["locals"]) == {"platform"}
    assert not any(name.endswith("_endpoint") for name in body["module"])


def test_what_settings_say_of_a_module_reaches_its_call_and_nothing_else_does(environment: Environment) -> None:
    calls = environment(storage={"lifecycle_days": {"logs": 30}}, access={"role_path": "/mlops/"}).json()["module"]
    plain = environment().json()["module"]
    assert calls["storage"] == {**plain["storage"], "lifecycle_days": {"logs": 30}}
    assert calls["access"] == {**plain["access"], "role_path": "/mlops/"}


def test_a_role_for_load_tests_is_published_where_the_settings_name_one(environment: Environment) -> None:
    role = "arn:aws:iam::123456789012:role/load-tests"
    plain = environment().json()["locals"]["platform"]["roles"]
    named = environment(recommendation_role_arn=role).json()["locals"]["platform"]["roles"]
    assert plain == "${module.access.role_arns}"
    assert "".join(named.split()) == f'${{merge(module.access.role_arns,{{recommendation="{role}"}},)}}'


def test_what_one_model_says_of_its_endpoint_is_left_to_the_module_for_the_others(environment: Environment) -> None:
    models = {
        "fraud": {"serverless_endpoint": {"memory_mb": 1024}},
        "churn": {"serverless_endpoint": {"max_concurrency": 2}},
        "plain": {"description": "Served nowhere."},
    }
    body = environment(models=models, pipelines={}).json()
    assert body["locals"]["serverless_endpoints"] == {
        "fraud": {"name": "smlops-dev-fraud", "memory_mb": 1024},
        "churn": {"name": "smlops-dev-churn", "max_concurrency": 2},
    }
    call = body["module"]["serverless_endpoint"]
    assert (call["memory_mb"], call["name"]) == ('${lookup(each.value, "memory_mb", null)}', "${each.value.name}")
    assert set(body["module"]["model_registry"]["model_package_groups"]) == {"fraud", "churn", "plain"}


def test_what_an_endpoint_needs_of_its_role_reaches_access_which_comes_before_it(environment: Environment) -> None:
    asked = {"fraud": {"async_endpoint": {"max_instances": 1}, "serverless_endpoint": {}}}
    calls = environment(models=asked, pipelines={}).json()["module"]
    topics = "arn:aws:sns:eu-north-1:123456789012:smlops-dev-fraud-async"
    (publish,) = (
        one for one in calls["access"]["role_statements"]["inference"] if one["sid"] == "PublishNotifications"
    )
    assert publish["resources"] == [f"{topics}-error", f"{topics}-success"]
    assert calls["async_endpoint"]["s3_uri"] == 's3://${module.storage.buckets["artifacts"].name}/async-inference'
    assert "role_statements" not in environment().json()["module"]["access"]


def test_a_model_may_be_served_in_each_way_under_names_of_their_own(environment: Environment) -> None:
    ways = {
        "async_endpoint": {},
        "realtime_endpoint": {"latency_slo_ms": 100, "data_capture": {"percent": 5}},
        "serverless_endpoint": {},
    }
    body = environment(models={"fraud": ways}, pipelines={}).json()
    said = {way: body["locals"][f"{way}s"]["fraud"] for way in ways}
    assert {way: one["name"] for way, one in said.items()} == {
        "async_endpoint": "smlops-dev-fraud-async",
        "realtime_endpoint": "smlops-dev-fraud-realtime",
        "serverless_endpoint": "smlops-dev-fraud",
    }
    captures = 's3://${module.storage.buckets["data"].name}/captures'
    assert said["realtime_endpoint"]["data_capture"] == {"percent": 5, "s3_uri": captures}
    by_sid = {one["sid"]: one for one in body["module"]["access"]["role_statements"]["inference"]}
    alarms = "arn:aws:cloudwatch:eu-north-1:123456789012:alarm:smlops-dev-fraud"
    assert by_sid["KeepCaptures"]["resources"] == [f'arn:aws:s3:::${{replace("{captures}", "s3://", "")}}/*']
    watched = [
        one["resources"]
        for one in body["module"]["access"]["role_statements"]["inference"]
        if one["sid"] == "WatchAlarms"
    ]
    assert watched == [
        [f"{alarms}-async-failures"],
        [f"{alarms}-realtime-main-errors", f"{alarms}-realtime-main-latency"],
    ]


def test_idle_endpoints_are_told_of_unless_settings_ask_for_more(environment: Environment) -> None:
    models = {
        key: {"realtime_endpoint": {"latency_slo_ms": 100}, "serverless_endpoint": {}} for key in ("fraud", "churn")
    }
    asked = {"idle_stop": "delete", "by_model": {"fraud": {"idle_stop": "report"}}}
    plain = environment(models=models, pipelines={}).json()
    assert "idle_stop" not in plain["module"]["observability"], "the module's default is a dry run"
    body = environment(models=models, pipelines={}, observability=asked, access={"role_path": "/mlops/"}).json()
    call = body["module"]["observability"]
    assert (call["idle_stop"], call["role_path"]) == ("delete", "/mlops/")
    watched = body["locals"]["watched"]
    assert {name: one["idle_stop"] for name, one in watched.items() if "idle_stop" in one} == {
        "fraud_realtime": "report"
    }
    assert {"churn_realtime", "fraud_serverless"} <= set(watched)


def test_a_component_that_needs_a_later_or_an_absent_one_is_one_line_that_says_what_to_change_where(
    environment: Environment,
) -> None:
    later = (Access, Storage, *(component for component in COMPONENTS if component not in (Access, Storage)))
    absent = tuple(component for component in COMPONENTS if component is not Storage)
    for components, remedy in ((later, "move it before Access"), (absent, "add it before Access")):
        with pytest.raises(UserError) as refused:
            environment(components)
        where, _, said = str(refused.value).partition(": ")
        assert where.startswith("envs/components/access.py:")
        assert said == (f"Access needs Storage, which was not added yet; {remedy} in COMPONENTS of envs/environment.py")


def test_two_components_cannot_publish_under_one_name(environment: Environment) -> None:
    class Another(Storage):
        def add(self, env: Any) -> None:
            self.buckets, self.kms_key_arn = env[Storage].buckets, env[Storage].kms_key_arn

    with pytest.raises(
        UserError, match=r"envs/components/storage.py:\d+: Another has 'buckets' in publishes\(\), as Stor"
    ):
        environment((Storage, Another, *COMPONENTS[1:]))


def test_two_components_cannot_give_an_output_under_one_name(environment: Environment) -> None:
    class Another(Platform):
        def add(self, env: Any) -> None:
            self.platform_output, self.parameter = env[Platform].platform_output, env[Platform].parameter

    with pytest.raises(
        UserError, match=r"envs/components/platform.py:\d+: Another has 'platform' in outputs\(\), as Pl"
    ):
        environment((*COMPONENTS, Another))


def test_a_component_that_adds_nothing_or_calls_no_module_there_is_has_its_own_line(environment: Environment) -> None:
    class Nothing(Component[CommonSettings]): ...

    class Misspelt(Component[CommonSettings]):
        def add(self, env: Any) -> None:
            env.call(env.modules["storrage"])

    class Bare(Component[CommonSettings]):
        def add(self, env: Any) -> None: ...

        def outputs(self) -> Any:
            return {"news": self.settings.region}

    class Unheld(Component[CommonSettings]):
        def list_names(self) -> Iterator[EnvironmentName]:
            yield EnvironmentName(cast(Any, "topic"), "name_prefix", "news")

        def add(self, env: Any) -> None:
            env.list_names("topic")

    for component, told in (
        (Nothing, "Nothing has no add(env)"),
        (Bare, "output news is not an Output; write Output(value, description)"),
        (Misspelt, "there is no module 'storrage'; did you mean 'storage'?"),
        (Unheld, "there is no kind of name 'topic': give limits.csv its topic_name_characters, and Kind in envs/nam"),
    ):
        with pytest.raises(UserError) as refused:
            environment((component,))
        where, _, said = str(refused.value).partition(": ")
        assert where.startswith("tests/envs/test_environment.py:")
        assert said.startswith(told)


def test_a_call_with_an_input_that_a_module_lacks_is_refused(environment: Environment, modules: dict[str, Any]) -> None:
    root = environment()
    with pytest.raises(UserError, match="module storage has no input 'buckets'"):
        root.call(modules["storage"], buckets={})
    with pytest.raises(UserError, match="module storage needs name_prefix, account_id, region"):
        root.call(modules["storage"])


@pytest.mark.parametrize("name", synth.list_names()[1])
def test_the_committed_root_module_reads_nothing_from_the_account(name: str) -> None:
    text = (ROOT / "envs" / name / "main.tf").read_text()
    assert 'data "' not in text
    assert json.dumps(settings.load(ROOT / "envs" / name).region) in text


def test_what_is_watched_of_an_endpoint_is_what_its_settings_say(environment: Environment, dev: dict[str, Any]) -> None:
    (key, model), *_ = dev["models"].items()
    realtime = {
        "instance_type": "ml.c7g.large",
        "latency_slo_ms": 200,
        "min_instances": 2,
        "silicon": "graviton",
        "deployment": {"strategy": "rolling", "step_percent": 50, "wait_seconds": 900, "bake_seconds": 600},
        "shadow": {"image_uri": "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5-graviton"},
    }
    several = {
        **model,
        "async_endpoint": {"instance_type": "ml.c7g.large", "bake_seconds": 600},
        "realtime_endpoint": realtime,
        "serverless_endpoint": {},
    }
    said = {"latency_slo_ms": 700, "backlog_slo_seconds": 900, "idle_stop": "delete"}
    body = environment(models={key: several}, observability={"by_model": {key: said}}).json()
    watched = {one["kind"]: one for one in body["locals"]["watched"].values()}
    assert watched["serverless"]["latency_slo_ms"] == 700
    assert watched["async"] | {"backlog_slo_seconds": 900, "deployment_minutes": 20} == watched["async"]
    of_instances = {"variants": ["main", "shadow"], "idle_stop": "delete", "deployment_minutes": 25}
    assert watched["realtime"] | of_instances == watched["realtime"]
