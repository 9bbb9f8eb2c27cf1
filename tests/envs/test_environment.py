"""Settings and the blocks of the root module that they reach."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from clone import synth
from envs import settings
from envs.common import CommonSettings
from envs.component import Component
from envs.components.access import Access
from envs.components.platform import PlatformParameter
from envs.components.storage import Storage
from envs.environment import COMPONENTS
from envs.names import EnvironmentName
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from tests.cases import check_cases

Environment = Callable[..., Any]


def test_state_is_locked_and_restricted_to_the_account(environment: Environment, dev: dict[str, Any]) -> None:
    backend = environment().to_json()["terraform"]["backend"]["s3"]
    assert backend == {
        "bucket": dev["state"]["bucket"],
        "key": "dev/terraform.tfstate",
        "region": "eu-north-1",
        "use_lockfile": True,
        "allowed_account_ids": [dev["account_id"]],
    }


def test_the_state_has_the_default_key_of_its_bucket_or_the_key_of_the_settings(
    environment: Environment, dev: dict[str, Any]
) -> None:
    # The bucket of bootstrap denies SSE-S3, for which Terraform asks if the backend has only `encrypt`.
    assert not {"encrypt", "kms_key_id"} & set(environment().to_json()["terraform"]["backend"]["s3"])
    key = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    backend = environment(state={**dev["state"], "kms_key_arn": key}).to_json()["terraform"]["backend"]["s3"]
    assert (backend["encrypt"], backend["kms_key_id"]) == (True, key)


def test_provider_and_state_use_the_assumed_role(environment: Environment, dev: dict[str, Any]) -> None:
    role = "arn:aws:iam::123456789012:role/terraform"
    root = environment(assume_role_arn=role)
    body = root.to_json()
    (provider,) = body["provider"]["aws"]
    assert provider["assume_role"] == {"role_arn": role}
    assert provider["allowed_account_ids"] == [dev["account_id"]]
    assert body["terraform"]["backend"]["s3"]["assume_role"] == {"role_arn": role}
    main, versions = root.render_files()["main.tf"], root.render_files()["versions.tf"]
    assert f'assume_role {{\nrole_arn = "{role}"\n}}' in main, "the provider takes a block"
    assert f'assume_role = {{\nrole_arn = "{role}"\n}}' in versions, "the backend takes an object"


def test_the_provider_tags_all_resources(environment: Environment) -> None:
    (provider,) = environment().to_json()["provider"]["aws"]
    assert set(provider["default_tags"]["tags"]) == {*("workload", "environment", "owner", "data_class", "expires_on")}


def test_data_is_protected_by_default(environment: Environment) -> None:
    calls = environment(deletion_protection=None).to_json()["module"]
    assert all(calls[name]["deletion_protection"] for name in ("storage", "feature_store", "model_registry"))


def test_an_environment_without_catalogue_entries_has_no_endpoints_and_feature_groups(environment: Environment) -> None:
    body = environment(feature_groups={}, models={}, pipelines={}).to_json()
    assert body["module"]["feature_store"]["feature_groups"] == {}
    assert set(body["locals"]) == {"platform"}
    assert not any(name.endswith("_endpoint") for name in body["module"])


def test_only_settings_of_a_module_are_passed_to_its_call(environment: Environment) -> None:
    calls = environment(storage={"lifecycle_days": {"logs": 30}}, access={"role_path": "/mlops/"}).to_json()["module"]
    plain = environment().to_json()["module"]
    assert calls["storage"] == {**plain["storage"], "lifecycle_days": {"logs": 30}}
    assert calls["access"] == {**plain["access"], "role_path": "/mlops/"}


def test_the_role_of_table_optimizers_has_the_boundary_of_all_roles(environment: Environment) -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    optimizers = {"retention": {"days": 9}}
    root = environment(table_optimizers=optimizers, access={"permissions_boundary_arn": boundary})
    call = root.to_json()["module"]["feature_store"]
    assert (call["table_optimizers"], call["permissions_boundary_arn"]) == (optimizers, boundary)
    assert "table_optimizers" not in environment().to_json()["module"]["feature_store"]


def test_the_configured_load_test_role_is_published(environment: Environment) -> None:
    role = "arn:aws:iam::123456789012:role/load-tests"
    plain = environment().to_json()["locals"]["platform"]["roles"]
    roles = environment(recommendation_role_arn=role).to_json()["locals"]["platform"]["roles"]
    assert plain == "${module.access.role_arns}"
    assert "".join(roles.split()) == f'${{merge(module.access.role_arns,{{recommendation="{role}"}},)}}'


def test_settings_of_one_endpoint_do_not_affect_others(environment: Environment) -> None:
    models = {
        "fraud": {"serverless_endpoint": {"memory_mb": 1024}},
        "churn": {"serverless_endpoint": {"max_concurrency": 2}, "latency_slo": "minutes"},
        "plain": {"description": "Served nowhere."},
    }
    body = environment(models=models, pipelines={}).to_json()
    assert body["locals"]["serverless_endpoints"] == {
        "fraud": {"name": "smlops-dev-fraud", "memory_mb": 1024, "tags": {"latency_slo": "cold_start"}},
        "churn": {"name": "smlops-dev-churn", "max_concurrency": 2, "tags": {"latency_slo": "minutes"}},
    }
    call = body["module"]["serverless_endpoint"]
    assert (call["memory_mb"], call["name"]) == ('${lookup(each.value, "memory_mb", null)}', "${each.value.name}")
    assert set(body["module"]["model_registry"]["model_package_groups"]) == {"fraud", "churn", "plain"}


def test_the_latency_slo_of_a_model_changes_the_tags_of_its_endpoints_only(environment: Environment) -> None:
    def build(latency_slo: str) -> Any:
        fraud = {"latency_slo": latency_slo, "serverless_endpoint": {}, "realtime_endpoint": {"latency_slo_ms": 100}}
        return environment(models={"fraud": fraud, "churn": {"serverless_endpoint": {}}}, pipelines={}).to_json()

    body, changed = build("cold_start"), build("milliseconds")
    for kind in ("serverless_endpoints", "realtime_endpoints"):
        tags = [one["locals"][kind]["fraud"].pop("tags") for one in (body, changed)]
        assert tags == [{"latency_slo": "cold_start"}, {"latency_slo": "milliseconds"}]
    assert changed == body
    (provider,) = body["provider"]["aws"]
    assert "latency_slo" not in provider["default_tags"]["tags"]


def test_iam_statements_of_endpoints_are_passed_to_access_without_a_cycle(environment: Environment) -> None:
    endpoints = {"fraud": {"async_endpoint": {"max_instances": 1}, "serverless_endpoint": {}}}
    calls = environment(models=endpoints, pipelines={}).to_json()["module"]
    topics = "arn:aws:sns:eu-north-1:123456789012:smlops-dev-fraud-async"
    (statements,) = calls["access"]["role_statements"]
    (publish,) = (one for one in statements["inference"] if one["sid"] == "PublishNotifications")
    assert publish["resources"] == [f"{topics}-error", f"{topics}-success"]
    assert calls["async_endpoint"]["s3_uri"] == 's3://${module.storage.buckets["artifacts"].name}/async-inference'
    assert "role_statements" not in environment().to_json()["module"]["access"]


def test_endpoints_may_read_and_list_the_models_of_other_registries(environment: Environment) -> None:
    body = environment(promotion={"registries": {"222222222222": "shop"}}).to_json()
    statements = [one for each in body["module"]["access"]["role_statements"] for one in each["inference"]]
    by_sid = {one["sid"]: one for one in statements}
    bucket = "arn:aws:s3:::shop-artifacts-222222222222-eu-north-1"
    assert by_sid["ReadModelsOfRegistries"]["resources"] == [f"{bucket}/models/*"]
    listing = by_sid["ListModelsOfRegistries"]
    assert (listing["actions"], listing["resources"]) == (["s3:ListBucket"], [bucket])
    assert listing["condition"] == [{"test": "StringLike", "variable": "s3:prefix", "values": ["models/*"]}]


def test_a_model_can_have_one_endpoint_of_each_kind(environment: Environment) -> None:
    kinds = {
        "async_endpoint": {},
        "realtime_endpoint": {"latency_slo_ms": 100, "data_capture": {"percent": 5}},
        "serverless_endpoint": {},
    }
    body = environment(models={"fraud": kinds}, pipelines={}).to_json()
    declared = {kind: body["locals"][f"{kind}s"]["fraud"] for kind in kinds}
    assert {kind: one["name"] for kind, one in declared.items()} == {
        "async_endpoint": "smlops-dev-fraud-async",
        "realtime_endpoint": "smlops-dev-fraud-realtime",
        "serverless_endpoint": "smlops-dev-fraud",
    }
    captures = 's3://${module.storage.buckets["data"].name}/captures'
    assert declared["realtime_endpoint"]["data_capture"] == {"percent": 5, "s3_uri": captures}
    statements = [one for each in body["module"]["access"]["role_statements"] for one in each["inference"]]
    by_sid = {one["sid"]: one for one in statements}
    alarms = "arn:aws:cloudwatch:eu-north-1:123456789012:alarm:smlops-dev-fraud"
    assert by_sid["KeepCaptures"]["resources"] == [f'arn:aws:s3:::${{replace("{captures}", "s3://", "")}}/*']
    alarm_arns = [one["resources"] for one in statements if one["sid"] == "WatchAlarms"]
    assert alarm_arns == [
        [f"{alarms}-async-failures"],
        [f"{alarms}-realtime-main-errors", f"{alarms}-realtime-main-latency"],
    ]


def test_idle_endpoints_are_only_reported_by_default(environment: Environment) -> None:
    models = {
        key: {"realtime_endpoint": {"latency_slo_ms": 100}, "serverless_endpoint": {}} for key in ("fraud", "churn")
    }
    options = {"idle_stop": "delete", "by_model": {"fraud": {"idle_stop": "report"}}}
    plain = environment(models=models, pipelines={}).to_json()
    assert "idle_stop" not in plain["module"]["observability"], "the module's default is a dry run"
    body = environment(models=models, pipelines={}, observability=options, access={"role_path": "/mlops/"}).to_json()
    call = body["module"]["observability"]
    assert (call["idle_stop"], call["role_path"]) == ("delete", "/mlops/")
    watched = body["locals"]["monitored_endpoints"]
    assert {name: one["idle_stop"] for name, one in watched.items() if "idle_stop" in one} == {
        "fraud_realtime": "report"
    }
    assert {"churn_realtime", "fraud_serverless"} <= set(watched)


def test_missing_or_later_components_are_one_line_errors(environment: Environment) -> None:
    later = (Access, Storage, *(component for component in COMPONENTS if component not in (Access, Storage)))
    absent = tuple(component for component in COMPONENTS if component is not Storage)
    for components, remedy in ((later, "move it before Access"), (absent, "add it before Access")):
        with pytest.raises(UserError) as error:
            environment(components)
        location, _, message = str(error.value).partition(": ")
        assert location.startswith("envs/components/access.py:")
        assert message == (
            f"Access needs Storage, which was not added yet; {remedy} in COMPONENTS of envs/environment.py"
        )


def test_platform_fields_of_two_components_must_differ(environment: Environment) -> None:
    class AnotherStorage(Storage):
        def add(self, env: Any) -> None:
            self.buckets, self.kms_key_arn = env[Storage].buckets, env[Storage].kms_key_arn

    with pytest.raises(
        UserError,
        match=r"envs/components/storage.py:\d+: 'buckets' is in list_platform_fields\(\) of AnotherStorage and of Sto",
    ):
        environment((Storage, AnotherStorage, *COMPONENTS[1:]))


def test_outputs_of_two_components_must_differ(environment: Environment) -> None:
    class AnotherPlatform(PlatformParameter):
        def add(self, env: Any) -> None:
            platform = env[PlatformParameter]
            self.platform_output, self.parameter = platform.platform_output, platform.parameter

    with pytest.raises(
        UserError,
        match=r"envs/components/platform.py:\d+: 'platform' is in list_outputs\(\) of AnotherPlatform and of Pl",
    ):
        environment((*COMPONENTS, AnotherPlatform))


def test_invalid_components_are_one_line_errors(environment: Environment) -> None:
    class Nothing(Component[CommonSettings]): ...

    class Misspelt(Component[CommonSettings]):
        def add(self, env: Any) -> None:
            env.call(env.modules["storrage"])

    class Bare(Component[CommonSettings]):
        def add(self, env: Any) -> None: ...

        def list_outputs(self) -> Any:
            return {"news": self.settings.region}

    class MissingTopic(Component[CommonSettings]):
        def list_names(self) -> Iterator[EnvironmentName]:
            yield EnvironmentName(cast(Any, "topic"), "name_prefix", "news")

        def add(self, env: Any) -> None:
            env.list_names("topic")

    for component, expected in (
        (Nothing, "Nothing has no add(env)"),
        (Bare, "output news is not an Output; write Output(value, description)"),
        (Misspelt, "no module is named 'storrage'; did you mean 'storage'?"),
        (MissingTopic, "unknown kind of name 'topic': add topic_name_characters to limits.csv, and the kind to"),
    ):
        with pytest.raises(UserError) as error:
            environment((component,))
        location, _, message = str(error.value).partition(": ")
        assert location.startswith("tests/envs/test_environment.py:")
        assert message.startswith(expected)


def test_calls_with_unknown_inputs_are_rejected(environment: Environment, modules: dict[str, Any]) -> None:
    root = environment()
    with pytest.raises(UserError, match="module storage has no input 'buckets'"):
        root.call(modules["storage"], buckets={})
    with pytest.raises(UserError, match="module storage needs name_prefix, account_id, region"):
        root.call(modules["storage"])


@check_cases("name", synth.list_names()[1])
def test_the_committed_root_modules_have_no_account_dependent_data_sources(name: str) -> None:
    text = (ROOT / "envs" / name / "main.tf").read_text()
    assert 'data "' not in text
    assert json.dumps(settings.load(ROOT / "envs" / name).region) in text


def test_each_topic_receives_its_subscribers(environment: Environment) -> None:
    team = {"protocol": "email", "endpoint": "ml-team@example.com"}
    queue = {"protocol": "sqs", "endpoint": "arn:aws:sqs:eu-north-1:123456789012:ml-archive"}
    subscribers = {"team": team, "archive": {**queue, "topics": ["events", "approvals"]}}
    calls = environment(notifications={"subscribers": subscribers}).to_json()["module"]
    assert calls["observability"]["subscribers"] == {
        "team": {**team, "topics": ["alarms"]},
        "archive": {**queue, "topics": ["events"]},
    }
    (pipeline,) = (call for name, call in calls.items() if name.startswith("pipeline_"))
    assert pipeline["failure_topic"]["subscribers"] == {"team": team}
    assert calls["model_registry"]["approval_topic"] == {
        "kms_key_arn": pipeline["failure_topic"]["kms_key_arn"],
        "subscribers": {"archive": queue},
    }


def test_observability_receives_the_settings_of_endpoints(environment: Environment, dev: dict[str, Any]) -> None:
    (key, model), *_ = dev["models"].items()
    realtime = {
        "instance_type": "ml.c7g.large",
        "latency_slo_ms": 200,
        "min_instances": 2,
        "silicon": "graviton",
        "deployment": {"strategy": "rolling", "step_percent": 50, "wait_seconds": 900, "bake_seconds": 600},
        "shadow": {"image_uri": "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5-graviton"},
    }
    endpoints = {
        **model,
        "async_endpoint": {"instance_type": "ml.c7g.large", "bake_seconds": 600},
        "realtime_endpoint": realtime,
        "serverless_endpoint": {},
    }
    watch_settings = {"latency_slo_ms": 700, "backlog_slo_seconds": 900, "idle_stop": "delete"}
    body = environment(models={key: endpoints}, observability={"by_model": {key: watch_settings}}).to_json()
    watched = {one["kind"]: one for one in body["locals"]["monitored_endpoints"].values()}
    assert watched["serverless"]["latency_slo_ms"] == 700
    assert watched["async"] | {"backlog_slo_seconds": 900, "deployment_minutes": 20} == watched["async"]
    of_instances = {"variants": ["main", "shadow"], "idle_stop": "delete", "deployment_minutes": 25}
    assert watched["realtime"] | of_instances == watched["realtime"]
