"""Changed attributes: protective attributes of any type, harmless names, and attributes that no check reads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import Terraform
from sustainable_mlops.review import Review, ReviewVerdict, review
from sustainable_mlops.review.attribute_changes.dedicated_checks import (
    is_estimated,
    is_fully_compared,
    is_read_elsewhere,
)
from sustainable_mlops.review.attributes.table import find_name_row, list_path_rows
from sustainable_mlops.review.coverage_gaps import GapKind
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.review import attribute_reads
from tests.stale_files import suggest_update

STEP: dict[str, Any] = {
    "EnableNetworkIsolation": True,
    "EnableInterContainerTrafficEncryption": True,
    "VpcConfig": {"Subnets": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]},
    "OutputDataConfig": {"S3OutputPath": "s3://models/out", "KmsKeyId": "k"},
    "HyperParameters": {"max_depth": "6"},
    "EnableManagedSpotTraining": True,
}


def define_steps(*steps: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """Return a pipeline with these steps, of type Training unless they name a type, and defaults of parameters."""
    listed = [{"Name": f"Step{number}", "Type": "Training", **step} for number, step in enumerate(steps)]
    defaults = [{"Name": name, "Type": "String", "DefaultValue": value} for name, value in parameters.items()]
    return {"pipeline_definition": json.dumps({"Version": "2020-12-01", "Parameters": defaults, "Steps": listed})}


def train(**arguments: Any) -> dict[str, Any]:
    """Return a training step with these arguments; None removes one."""
    values = {**STEP, **arguments}
    return {"Arguments": {name: value for name, value in values.items() if value is not None}}


def branch(step: dict[str, Any]) -> dict[str, Any]:
    """Return a condition with a step in its first branch."""
    return {"Type": "Condition", "Arguments": {"IfSteps": [{"Name": "Inner", "Type": "Training", **step}]}}


PIPELINE = "sagemaker_pipeline"
ISOLATION = {"Get": "Parameters.Isolation"}
#: A type, an attribute with its stronger and its weaker value, and a text about the change from one to the other.
WEAKENINGS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "authorization": (
        "networkmanager_link", {"authorization": "AWS_IAM"}, {"authorization": "NONE"}, "no authorization",
    ),
    "authorizer": ("networkmanager_link", {"authorizer_id": "abc"}, {"authorizer_id": ""}, "no authorization"),
    "TLS policy by version": (
        "lb_listener",
        {"ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
        {"ssl_policy": "ELBSecurityPolicy-TLS13-1-0-2021-06"},
        "older versions of TLS",
    ),
    "TLS policy by date": (
        "transfer_server",
        {"security_policy_name": "TransferSecurityPolicy-2024-01"},
        {"security_policy_name": "TransferSecurityPolicy-2018-11"},
        "older versions of TLS",
    ),
    "major version": (
        "db_instance", {"allow_major_version_upgrade": None}, {"allow_major_version_upgrade": True}, "cannot be undone",
    ),
    "HTTPS": ("lb_listener", {"protocol": "HTTPS"}, {"protocol": "HTTP"}, "unencrypted"),
    "HTTPS of viewers": (
        "cloudfront_distribution",
        {"default_cache_behavior": [{"viewer_protocol_policy": "redirect-to-https"}]},
        {"default_cache_behavior": [{"viewer_protocol_policy": "allow-all"}]},
        "default_cache_behavior.viewer_protocol_policy",
    ),
    "parameter": (
        "db_parameter_group",
        {"parameter": [{"name": "rds.force_ssl", "value": "1", "apply_method": "immediate"}]},
        {"parameter": [{"name": "rds.force_ssl", "value": "0", "apply_method": "immediate"}]},
        "rds_force_ssl",
    ),
    "internet": (
        "wafv2_ip_set", {"ip_ranges": ["10.0.0.0/8"]}, {"ip_ranges": ["10.0.0.0/8", "0.0.0.0/0"]}, "other networks",
    ),
    "smaller network to larger": (
        "workspaces_ip_group", {"rules": [{"cidr": "10.1.0.0/16"}]}, {"rules": [{"cidr": "10.0.0.0/8"}]}, "networks",
    ),
    "VPC": (
        "lambda_function",
        {"vpc_config": [{"subnet_ids": ["subnet-0a1b2c3d"], "security_group_ids": ["sg-0a1b2c3d"]}]},
        {"vpc_config": []},
        "outside the VPC",
    ),
    "public address": (
        "ecs_service",
        {"network_configuration": [{"assign_public_ip": False}]},
        {"network_configuration": [{"assign_public_ip": True}]},
        "internet",
    ),
    "encryption": (
        "athena_workgroup",
        {"configuration": [{"encryption_option": "SSE_KMS"}]},
        {"configuration": [{"encryption_option": "SSE_S3"}]},
        "encrypted less",
    ),
    "window before a deletion": (
        "workspaces_pool", {"recovery_window_in_days": 30}, {"recovery_window_in_days": 7}, "less time",
    ),
    "logs": (
        "eks_cluster",
        {"enabled_cluster_log_types": ["api", "audit"]},
        {"enabled_cluster_log_types": ["api"]},
        "less is recorded",
    ),
    "logs of a container": (
        "ecs_task_definition",
        {"container_definitions": json.dumps([{"image": "a:1", "logConfiguration": {"logDriver": "awslogs"}}])},
        {"container_definitions": json.dumps([{"image": "a:2"}])},
        "less is recorded",
    ),
    "privileged container": (
        "ecs_task_definition",
        {"container_definitions": json.dumps([{"privileged": False}])},
        {"container_definitions": json.dumps([{"privileged": True}])},
        "privileged",
    ),
    "default action": (
        "wafv2_web_acl", {"default_action": [{"block": [{}]}]}, {"default_action": [{"allow": [{}]}]}, "default_action",
    ),
    "counted requests": (
        "wafv2_web_acl",
        {"rule": [{"name": "a", "action": [{"block": [{"custom_response": []}]}]}]},
        {"rule": [{"name": "a", "action": [{"count": [{"custom_request_handling": []}]}]}]},
        "rule.action",
    ),
    "public brokers": (
        "networkmanager_link",
        {"connectivity_info": [{"public_access": [{"type": "DISABLED"}]}]},
        {"connectivity_info": [{"public_access": [{"type": "SERVICE_PROVIDED_EIPS"}]}]},
        "public_access.type",
    ),
    "network as a value": (
        "workspaces_ip_group", {"rules": [{"source": "10.0.0.0/8"}]}, {"rules": [{"source": "0.0.0.0/0"}]}, "networks",
    ),
    "local administrator": (
        "workspaces_directory",
        {"workspace_creation_properties": [{"user_enabled_as_local_administrator": False}]},
        {"workspace_creation_properties": [{"user_enabled_as_local_administrator": True}]},
        "allows more",
    ),
    "secret parameter": ("ssm_parameter", {"type": "SecureString"}, {"type": "String"}, "no longer encrypted"),
    "firewall policy": (
        "networkfirewall_firewall_policy",
        {"firewall_policy": [{"stateless_default_actions": ["aws:drop"]}]},
        {"firewall_policy": [{"stateless_default_actions": ["aws:pass"]}]},
        "without inspection",
    ),
    "counted rule group": (
        "wafv2_web_acl",
        {"rule": [{"override_action": [{"none": [{}]}]}]},
        {"rule": [{"override_action": [{"count": [{}]}]}]},
        "override_action",
    ),
    "TLS of a database": (
        "docdb_cluster_parameter_group",
        {"parameter": [{"name": "tls", "value": "enabled"}]},
        {"parameter": [{"name": "tls", "value": "disabled"}]},
        "unencrypted",
    ),
    "failed messages": ("sqs_queue", {"redrive_policy": "{}"}, {"redrive_policy": None}, "messages that fail"),
    "threshold of a log": (
        "db_parameter_group",
        {"parameter": [{"name": "log_min_duration_statement", "value": "1000"}]},
        {"parameter": [{"name": "log_min_duration_statement", "value": "-1"}]},
        "less is recorded",
    ),
    "higher threshold of a log": (
        "db_parameter_group",
        {"parameter": [{"name": "log_min_duration_statement", "value": "1000"}]},
        {"parameter": [{"name": "log_min_duration_statement", "value": "86400000"}]},
        "less is recorded",
    ),
    "switch": ("networkmanager_link", {"active": True}, {"active": False}, "is turned off"),
    "status": ("networkmanager_link", {"status": "ENABLED"}, {"status": "PAUSED"}, "is turned off"),
    "isolation of a step": (
        PIPELINE,
        define_steps(train()),
        define_steps(train(EnableNetworkIsolation=False)),
        "step Step0: arguments.enable_network_isolation: true → false",
    ),
    "isolation of a step in a branch": (
        PIPELINE,
        define_steps(branch(train())),
        define_steps(branch(train(EnableNetworkIsolation=None))),
        "step Inner: arguments.enable_network_isolation",
    ),
    "isolation of a step with a new name": (
        PIPELINE,
        define_steps({**train(), "Name": "Old"}),
        define_steps({**train(EnableNetworkIsolation=False), "Name": "New"}),
        "step New: arguments.enable_network_isolation",
    ),
    "isolation by a parameter": (
        PIPELINE,
        define_steps(train(EnableNetworkIsolation=ISOLATION), Isolation=True),
        define_steps(train(EnableNetworkIsolation=ISOLATION), Isolation=False),
        "arguments.enable_network_isolation: true → false",
    ),
    "isolation of a processing step": (
        PIPELINE,
        define_steps({"Type": "Processing", "Arguments": {"NetworkConfig": {"EnableNetworkIsolation": True}}}),
        define_steps({"Type": "Processing", "Arguments": {"NetworkConfig": {}}}),
        "network_config.enable_network_isolation",
    ),
    "traffic between the containers of a step": (
        PIPELINE,
        define_steps(train()),
        define_steps(train(EnableInterContainerTrafficEncryption=False)),
        "encrypted less",
    ),
    "VPC of a step": (PIPELINE, define_steps(train()), define_steps(train(VpcConfig=None)), "outside the VPC"),
    "key of a step": (
        PIPELINE,
        define_steps(train()),
        define_steps(train(OutputDataConfig={"S3OutputPath": "s3://models/out"})),
        "output_data_config.kms_key_id: k → not set",
    ),
    "shell in a training job": (
        PIPELINE,
        define_steps(train()),
        define_steps(train(RemoteDebugConfig={"EnableRemoteDebug": True})),
        "allows more",
    ),
    "skipped check of a step": (
        PIPELINE,
        define_steps({"Type": "QualityCheck", "SkipCheck": False}),
        define_steps({"Type": "QualityCheck", "SkipCheck": True}),
        "step Step0: skip_check",
    ),
    "shell beside a model": (
        "sagemaker_endpoint_configuration",
        {"production_variants": [{"variant_name": "main", "enable_ssm_access": False}]},
        {"production_variants": [{"variant_name": "main", "enable_ssm_access": True}]},
        "allows more",
    ),
    "Docker in Studio": (
        "sagemaker_domain",
        {"domain_settings": [{"docker_settings": [{"enable_docker_access": "DISABLED"}]}]},
        {"domain_settings": [{"docker_settings": [{"enable_docker_access": "ENABLED"}]}]},
        "allows more",
    ),
    "throttling of a stage": (
        "apigatewayv2_stage",
        {"default_route_settings": [{"throttling_rate_limit": 100, "throttling_burst_limit": 50}]},
        {"default_route_settings": [{"throttling_rate_limit": 10_000, "throttling_burst_limit": 5000}]},
        "a limit is lifted",
    ),
    "throttling of a method": (
        "api_gateway_method_settings",
        {"settings": [{"throttling_rate_limit": 100}]},
        {"settings": [{"throttling_rate_limit": -1}]},
        "a limit is lifted",
    ),
    "quota of a usage plan": (
        "api_gateway_usage_plan",
        {"quota_settings": [{"limit": 1000, "offset": 0, "period": "DAY"}]},
        {"quota_settings": []},
        "a limit is lifted",
    ),
    "rate of a web ACL": (
        "wafv2_web_acl",
        {"rule": [{"name": "a", "statement": [{"rate_based_statement": [{"limit": 1000}]}]}]},
        {"rule": [{"name": "a", "statement": [{"rate_based_statement": [{"limit": 100_000}]}]}]},
        "a limit is lifted",
    ),
    "serial console": ("ec2_serial_console_access", {"enabled": False}, {"enabled": True}, "console"),
    "access key": ("iam_access_key", {"status": "Inactive"}, {"status": "Active"}, "gives access again"),
    "user": ("cognito_user", {"enabled": False}, {"enabled": True}, "gives access again"),
    "public documents": (
        "ssm_service_setting",
        {"setting_id": "/ssm/documents/console/public-sharing-permission", "setting_value": "Disable"},
        {"setting_id": "/ssm/documents/console/public-sharing-permission", "setting_value": "Enable"},
        "shared with everyone",
    ),
    "credentials of a notebook": (
        "sagemaker_notebook_instance",
        {"instance_metadata_service_configuration": [{"minimum_instance_metadata_service_version": "2"}]},
        {"instance_metadata_service_configuration": [{"minimum_instance_metadata_service_version": "1"}]},
        "read the credentials of its role",
    ),
}  # fmt: skip
_BALANCER = "arn:aws:elasticloadbalancing:eu-north-1:111122223333"
HARMLESS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a paused schedule": ("scheduler_schedule", {"state": "ENABLED"}, {"state": "DISABLED"}),
    "memory": ("glue_trigger", {"memory_size": 128, "timeout": 3}, {"memory_size": 256, "timeout": 9}),
    "an empty map that is no longer stored": (
        "sagemaker_model",
        {"primary_container": [{"image": "a", "environment": {}}]},
        {"primary_container": [{"image": "a", "environment": None}]},
    ),
    "a lower threshold of a log": (
        "db_parameter_group",
        {"parameter": [{"name": "log_min_duration_statement", "value": "1000"}]},
        {"parameter": [{"name": "log_min_duration_statement", "value": "500"}]},
    ),
    "variables": ("batch_job_definition", {"environment": [{"variables": {"A": "1"}}]}, {"environment": []}),
    "tags": ("lb", {"tags": {"a": "b"}}, {"tags": {}}),
    "subject of a message": (
        "cognito_user_pool",
        {"verification_message_template": [{"email_subject": "Code"}]},
        {"verification_message_template": [{"email_subject": "Your code"}]},
    ),
    "reserved concurrency": (
        "glue_trigger", {"reserved_concurrent_executions": 5}, {"reserved_concurrent_executions": 9},
    ),
    "order of blocks": (
        "wafv2_rule_group",
        {"rule": [{"name": "a", "cidr": "10.0.0.0/8"}, {"name": "b", "cidr": "10.1.0.0/16"}]},
        {"rule": [{"name": "b", "cidr": "10.1.0.0/16"}, {"name": "a", "cidr": "10.0.0.0/8"}]},
    ),
    "tag of an image": (
        "ecs_task_definition",
        {"container_definitions": json.dumps([{"image": "example/app:1"}])},
        {"container_definitions": json.dumps([{"image": "example/app:2"}])},
    ),
    "target group of the same kind": (
        "lb_listener",
        {"arn": f"{_BALANCER}:listener/a", "default_action": [{"target_group_arn": f"{_BALANCER}:targetgroup/a/1"}]},
        {"arn": f"{_BALANCER}:listener/a", "default_action": [{"target_group_arn": f"{_BALANCER}:targetgroup/b/2"}]},
    ),
    "program of a step": (
        PIPELINE,
        define_steps(train(), {**train(), "Name": "Removed"}),
        define_steps(
            train(
                HyperParameters={"max_depth": "8", "validation": "x"},
                EnableManagedSpotTraining=False,
                OutputDataConfig={"S3OutputPath": "s3://models/other", "KmsKeyId": "k2"},
            ),
            {"Name": "New", "Type": "Processing", "Arguments": {"NetworkConfig": {"EnableNetworkIsolation": False}}},
        ),
    ),
    "steps in another order": (
        PIPELINE,
        define_steps({**train(), "Name": "A"}, {**train(EnableNetworkIsolation=False), "Name": "B"}),
        define_steps({**train(EnableNetworkIsolation=False), "Name": "B"}, {**train(), "Name": "A"}),
    ),
    "value that only an execution knows": (
        PIPELINE,
        define_steps(train(VpcConfig={"Subnets": [{"Get": "Parameters.Subnet"}]})),
        define_steps(train(VpcConfig={"Subnets": [{"Get": "Parameters.Subnet"}]}, StoppingCondition={"A": 1})),
    ),
    "new variant without a shell": (
        "sagemaker_endpoint_configuration",
        {"production_variants": [{"variant_name": "main", "enable_ssm_access": False}]},
        {"production_variants": [{"variant_name": name, "enable_ssm_access": False} for name in ("main", "next")]},
    ),
}  # fmt: skip


def review_update(type_: str, before: dict[str, Any], after: dict[str, Any]) -> Review:
    return review(build_plan(build_change(f"aws_{type_}.x", after, before=before)))


def list_texts(result: Review) -> str:
    gaps = [gap.description for gap in result.coverage_gaps]
    return "\n".join([*(item.risk.description for item in result.risks), *gaps])


@check_cases("name", WEAKENINGS)
def test_a_weaker_guard_is_reported_and_a_stronger_one_is_not(name: str) -> None:
    type_, strong, weak, text = WEAKENINGS[name]
    weakened, strengthened = review_update(type_, strong, weak), review_update(type_, weak, strong)
    assert weakened.verdict != "fine"
    assert text in list_texts(weakened)
    assert not strengthened.risks, list_texts(strengthened)
    assert not [gap for gap in strengthened.coverage_gaps if gap.kind is GapKind.NOT_REVIEWED]


@check_cases("name", HARMLESS)
def test_a_harmless_change_is_no_risk_and_no_gap(name: str) -> None:
    result = review_update(*HARMLESS[name])
    assert not result.risks, list_texts(result)
    assert not [gap for gap in result.coverage_gaps if gap.kind is GapKind.NOT_REVIEWED], list_texts(result)


def test_a_changed_attribute_that_nothing_reads_is_a_gap() -> None:
    result = review_update("transfer_server", {"directory_id": "a"}, {"directory_id": "b"})
    assert result.verdict == "look"
    assert "no check reads the changed directory_id" in list_texts(result)


@check_cases(
    ("type_", "path", "strong", "weak"),
    [
        ("kms_key", "rotation_period_in_days", "90", "365"),
        ("cloudwatch_log_group", "retention_in_days", "30", "7"),
        ("ssoadmin_permission_set", "session_duration", "PT1H", "PT2H"),
        ("budgets_budget", "limit_amount", "1000", "5000"),
    ],
)
def test_a_guard_of_one_type_compares_texts_and_has_a_gap_for_values_without_an_order(
    type_: str, path: str, strong: str, weak: str
) -> None:
    assert [item.risk.is_known for item in review_update(type_, {path: strong}, {path: weak}).risks] == [True]
    assert review_update(type_, {path: weak}, {path: strong}).verdict == "fine"
    for before, after in ((strong, "often"), ("often", weak)):
        result = review_update(type_, {path: before}, {path: after})
        assert not result.risks
        assert f"no check reads the changed {path}" in list_texts(result)


def test_a_guard_that_cannot_compare_is_a_gap_even_if_its_name_is_harmless() -> None:
    values = {
        value: {"parameter": [{"name": "log_statement", "value": value}, {"name": "work_mem", "value": f"4{value}"}]}
        for value in ("all", "ddl", "none")
    }
    assert "no check reads the changed parameter.log_statement" in list_texts(
        result := review_update("db_parameter_group", values["all"], values["ddl"])
    )
    assert "work_mem" not in list_texts(result)
    assert "less is recorded" in list_texts(review_update("db_parameter_group", values["all"], values["none"]))


def test_a_route_to_the_internet_is_reported_and_its_removal_is_not() -> None:
    route = {"route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-0123456789abcdef0"}
    created, deleted = (
        review(build_plan(build_change("aws_route.x", after, before=before)))
        for before, after in ((None, route), (route, None))
    )
    assert "a route to an internet gateway" in list_texts(created)
    assert deleted.verdict == "fine"


def test_a_new_major_version_of_a_database_is_reported_and_a_minor_one_is_not() -> None:
    major, minor = (
        review_update("db_instance", {"engine_version": "14.10"}, {"engine_version": version})
        for version in ("15.5", "14.12")
    )
    assert "a new major version cannot be undone" in list_texts(major)
    assert not minor.risks


@pytest.mark.parametrize(
    ("type_", "api", "name"),
    [("api_gateway_method", "rest_api_id", "authorization"), ("apigatewayv2_route", "api_id", "authorization_type")],
)
def test_a_call_without_authorization_that_joins_an_existing_api_is_reported(type_: str, api: str, name: str) -> None:
    def create(authorization: str, method: str = "POST") -> str:
        values = {api: "a1b2c3d4e5", name: authorization, "http_method": method}
        return list_texts(review(build_plan(build_change(f"aws_{type_}.x", values))))

    assert "anyone may call this method or route of an existing API" in create("NONE")
    assert "anyone may call" not in create("AWS_IAM")
    assert "anyone may call" not in create("NONE", "OPTIONS")


def test_an_account_that_appears_in_an_attribute_is_reported() -> None:
    own, foreign = (f"arn:aws:sns:eu-north-1:{account}:t" for account in ("111122223333", "444455556666"))
    result = review_update("elasticache_parameter_group", {"arn": own, "topic": own}, {"arn": own, "topic": foreign})
    assert "another account: 444455556666" in list_texts(result)


def test_steps_are_compared_with_a_base_plan_or_with_the_own_state() -> None:
    strong, weak = (define_steps(train(EnableNetworkIsolation=flag)) for flag in (True, False))
    address = "aws_sagemaker_pipeline.x"
    update = build_plan(build_change(address, weak, before=strong))
    for base in (build_plan(build_change(address, strong)), build_plan()):
        assert "enable_network_isolation: true → false" in list_texts(review(update, base=base))
    created = build_plan(build_change(address, weak))
    assert "enable_network" not in list_texts(review(created, base=build_plan(build_change(address, weak))))


_OWN, _OTHER = "111122223333", "444455556666"


def _name_key(account: str) -> str:
    return f"arn:aws:kms:eu-north-1:{account}:key/k"


_ENCRYPTION = "s3_bucket_server_side_encryption_configuration"


def _encrypt_bucket(account: str) -> dict[str, Any]:
    default = {"sse_algorithm": "aws:kms", "kms_master_key_id": _name_key(account)}
    return {"bucket": "b", "rule": [{"apply_server_side_encryption_by_default": [default]}]}


@check_cases(
    ("type_", "build"),
    [
        (_ENCRYPTION, _encrypt_bucket),
        *(
            (type_, lambda account, name=name: {name: _name_key(account)})
            for type_, name in (
                ("cloudwatch_log_group", "kms_key_id"), ("secretsmanager_secret", "kms_key_id"),
                ("sqs_queue", "kms_master_key_id"), ("sns_topic", "kms_master_key_id"),
                ("efs_file_system", "kms_key_id"), ("backup_vault", "kms_key_arn"), ("kinesis_stream", "kms_key_id"),
                ("cloudtrail", "kms_key_id"), ("sagemaker_endpoint_configuration", "kms_key_arn"),
            )
        ),
        (PIPELINE, lambda account: define_steps(train(OutputDataConfig={"KmsKeyId": _name_key(account)}))),
    ],
)  # fmt: skip
def test_a_key_of_another_account_is_reported_and_another_own_key_is_not(type_: str, build: Any) -> None:
    own = {"arn": f"arn:aws:x:eu-north-1:{_OWN}:x"}
    before, after = ({**own, **build(account)} for account in (_OWN, _OTHER))
    assert f"another account: {_OTHER}" in list_texts(review_update(type_, before, after))
    assert not review_update(type_, after, before).risks
    assert not review_update(type_, before, json.loads(json.dumps(before).replace("key/k", "key/other"))).risks


def test_a_new_default_key_of_another_account_is_reported_only_for_existing_buckets() -> None:
    bucket = {"id": "b", "bucket": "b", "arn": "arn:aws:s3:::b"}
    topic = {"arn": f"arn:aws:sns:eu-north-1:{_OWN}:t"}

    def encrypt(account: str, before: dict[str, Any] | None) -> str:
        changes = [
            build_change("aws_sns_topic.own", topic, before=topic),
            build_change("aws_s3_bucket.b", bucket, before=before),
            build_change(f"aws_{_ENCRYPTION}.x", _encrypt_bucket(account)),
        ]
        return list_texts(review(build_plan(*changes)))

    assert f"another account: {_OTHER}" in encrypt(_OTHER, bucket)
    assert "another account" not in encrypt(_OWN, bucket)
    assert "another account" not in encrypt(_OTHER, None)


def test_an_unknown_guard_needs_a_look_and_a_computed_attribute_does_not() -> None:
    def change(configured: bool) -> Review:
        expressions = {"ssl_policy": {"references": ["var.p"]}} if configured else {}
        resource = {"address": "aws_lb_listener.x", "mode": "managed", "type": "aws_lb_listener", "name": "x"}
        entry = build_change(
            "aws_lb_listener.x", {"port": 1}, before={"port": 2, "ssl_policy": "a"}, unknown={"ssl_policy": True}
        )
        return review(build_plan(entry, root={"resources": [{**resource, "expressions": expressions}]}))

    assert "ssl_policy is unknown until apply" in list_texts(change(True))
    assert "ssl_policy" not in list_texts(change(False))


def test_the_table_of_read_attributes_is_up_to_date() -> None:
    assert attribute_reads.FILE.read_text() == attribute_reads.render_table(), suggest_update(
        ".venv/bin/python -m tests.review.attribute_reads"
    )


@pytest.mark.plan
def test_every_changed_attribute_of_the_provider_is_read_or_a_gap(
    tmp_path: Path, offline_environment: dict[str, str]
) -> None:
    """Change every attribute of every type that no table and no rule reads, in both directions.

    Without a protective attribute, no change may be fine. With one, some change must not be fine, such as a removal.
    """
    unreported = []
    for type_, path, values in _list_schema_attributes(tmp_path, offline_environment):
        if is_fully_compared(type_) or is_read_elsewhere(type_, path) or is_estimated(type_, path):
            continue
        old, new = values
        row = find_name_row(path, values)
        if list_path_rows(type_, path) or (row is not None and row.is_weaker is None):
            continue
        is_guarded = row is not None
        pairs = [(old, new), (new, old), *([(old, None), (None, old), (None, "public")] if is_guarded else ())]
        combine = any if is_guarded else all
        if not combine(_is_reported(type_, path, *pair) for pair in pairs):
            unreported.append(f"{type_}.{path}")
    assert unreported == []


def _is_reported(type_: str, path: str, old: object, new: object) -> bool:
    before, after = (_nest(path, value) for value in (old, new))
    return review_update(type_.removeprefix("aws_"), before, after).verdict is not ReviewVerdict.FINE


def _list_schema_attributes(
    folder: Path, environment: dict[str, str]
) -> Iterator[tuple[str, str, tuple[object, object]]]:
    """Yield each attribute that a configuration can set: its type, its path and two values."""
    (folder / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
    )
    terraform = Terraform(folder, environment)
    terraform.init()
    schemas = json.loads(terraform.run("providers", "schema", "-json"))
    (provider,) = schemas["provider_schemas"].values()
    for type_, schema in provider["resource_schemas"].items():
        for path, values in _list_block_attributes(schema["block"], ""):
            yield type_, path, values


def _list_block_attributes(block: dict[str, Any], prefix: str) -> Iterator[tuple[str, tuple[object, object]]]:
    for name, attribute in block.get("attributes", {}).items():
        if not attribute.get("required") and not attribute.get("optional"):
            continue
        if "nested_type" in attribute:
            yield from _list_block_attributes(attribute["nested_type"], f"{prefix}{name}.")
        else:
            yield from _list_values(attribute["type"], f"{prefix}{name}")
    for name, inner in block.get("block_types", {}).items():
        yield from _list_block_attributes(inner["block"], f"{prefix}{name}.")


_PRIMITIVES: dict[str, tuple[object, object]] = {
    "string": ("one value", "another value"), "number": (30, 7), "bool": (True, False), "dynamic": ("one", "two"),
}  # fmt: skip


def _list_values(kind: Any, path: str) -> Iterator[tuple[str, tuple[object, object]]]:
    """Yield the paths below an attribute of this Terraform type, with two values of each."""
    if isinstance(kind, str):
        yield path, _PRIMITIVES[kind]
    elif kind[0] == "object":
        for name, inner in kind[1].items():
            yield from _list_values(inner, f"{path}.{name}")
    elif kind[0] == "map":
        yield from _list_values(kind[1], f"{path}.key")
    else:
        for inner_path, (old, new) in _list_values(kind[1], path):
            yield inner_path, ([old], [new]) if inner_path == path else (old, new)


def _nest(path: str, value: object) -> dict[str, Any]:
    *outer, name = path.split(".")
    nested: dict[str, Any] = {name: value}
    for block in reversed(outer):
        nested = {block: [nested]}
    return nested
