"""Arguments of one call of each module, and another value of each input.

`tests/modules/input_changes.py` applies the calls and plans each change.
"""

import json
from dataclasses import dataclass, field
from typing import Any

_ACCOUNT, _REGION = "123456789012", "eu-north-1"
_LOCATION = {"account_id": _ACCOUNT, "region": _REGION}
#: Inputs of the location. Another account, Region or partition is another call.
LOCATION_INPUTS = frozenset((*_LOCATION, "partition"))
_KEY, _OTHER_KEY = (
    f"arn:aws:kms:{_REGION}:{_ACCOUNT}:key/{start}-12ab-34cd-56ef-1234567890ab" for start in ("1234abcd", "9876abcd")
)
_TAGS = {"workload": "orders"}
_BOUNDARY = f"arn:aws:iam::{_ACCOUNT}:policy/boundary"
_SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
_TRACKING_SERVER = {
    "artifacts_s3_uri": "s3://shop-models/mlflow",
    "off_hours": {"begin": "cron(0 20 ? * MON-FRI *)", "end": "cron(0 6 ? * MON-FRI *)", "timezone": "UTC"},
}
_TOPIC = f"arn:aws:sns:{_REGION}:{_ACCOUNT}:ml-alarms"


def _build_role_arn(name: str) -> str:
    return f"arn:aws:iam::{_ACCOUNT}:role/{name}"


def _build_image(name: str) -> str:
    return f"{_ACCOUNT}.dkr.ecr.{_REGION}.amazonaws.com/{name}"


@dataclass(frozen=True)
class InputCase:
    """Call of a module, and another value of each input. `companions` are inputs that must change together with one."""

    arguments: dict[str, Any]
    changes: dict[str, Any]
    companions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def change(self, name: str) -> dict[str, Any]:
        """Return the arguments with another value of the input `name`."""
        return {**self.arguments, name: self.changes[name], **self.companions.get(name, {})}


_VPC_CONFIG = {
    "security_group_ids": ["sg-0123456789abcdef0"],
    "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
}


_DOCUMENT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sns:GetTopicAttributes",
                "Resource": f"arn:aws:sns:{_REGION}:{_ACCOUNT}:shop-*",
            }
        ],
    }
)
#: Environment of `bootstrap`: its prefix, and the roles of its CI.
_CI: dict[str, Any] = {
    "name_prefix": "shop-dev",
    "plan": {"github": [{"repository": "acme/shop"}], "policies": {"plan-all": _DOCUMENT}},
    "apply": {"github": [{"repository": "acme/shop", "branches": ["main"]}], "policies": {"apply-all": _DOCUMENT}},
    "promote": {"gitlab": [{"project": "acme/shop", "branches": ["main"]}]},
}


def _build_definition(instance_type: str) -> str:
    arguments = {
        "RoleArn": _build_role_arn("shop-data-preparation"),
        "AppSpecification": {"ImageUri": _build_image("sort:1")},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": instance_type, "VolumeSizeInGB": 5}
        },
    }
    return json.dumps(
        {
            "Version": "2020-12-01",
            "Parameters": [
                {"Name": "InputKey", "Type": "String", "DefaultValue": "raw/all.csv"},
                {"Name": "VolumeGb", "Type": "Integer", "DefaultValue": 5},
                {"Name": "StartReason", "Type": "String", "DefaultValue": "none"},
            ],
            "Steps": [{"Name": "Sort", "Type": "Processing", "Arguments": arguments}],
        }
    )


def _build_feature_group(**more: Any) -> dict[str, Any]:
    return {
        "record_identifier": "id",
        "event_time": "at",
        "features": {"id": {"type": "String"}, "at": {"type": "String"}},
        **more,
    }


_ENDPOINT = {
    "kms_key_arn": _KEY,
    "role_arn": _build_role_arn("shop-inference"),
    "tags": _TAGS,
    "environment_variables": {"LOG_LEVEL": "info"},
}
_ENDPOINT_CHANGES = {
    "environment_variables": {"LOG_LEVEL": "debug"},
    "kms_key_arn": _OTHER_KEY,
    "log_retention_days": 90,
    "name_prefix": "store-1",
    "name": "shop-renamed",
    "role_arn": _build_role_arn("shop-other"),
    "tags": {"workload": "returns"},
    "variant_name": "AllTraffic",
}
_INSTANCE_CHANGES = {
    "alarm_actions": [_TOPIC, f"{_TOPIC}-2"],
    "aws_provider": 6,
    "enable_network_isolation": False,
    "more_rollback_alarms": ["shop-quality"],
    "scale_in_cooldown_seconds": 120,
    "verify_location": True,
}
_PACKAGE = f"arn:aws:sagemaker:{_REGION}:{_ACCOUNT}:model-package/shop-churn/2"


def _list_model_changes(image: str) -> dict[str, Any]:
    return {
        "image_uri": _build_image(image),
        "model_data_url": "s3://shop-models/models/2/model.tar.gz",
        "model_package_arn": _PACKAGE,
        "inference_specification_name": "graviton",
    }


_MODEL_COMPANIONS: dict[str, dict[str, Any]] = {
    "model_package_arn": {"image_uri": None},
    "inference_specification_name": {"image_uri": None, "model_package_arn": _PACKAGE},
}
_PHASE_PATHS = {"read": ["data/raw/"], "write": ["data/feature-store/"]}
CASES: dict[str, InputCase] = {
    "access": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "kms_key_arn": _KEY,
            "tags": _TAGS,
            "buckets": {"artifacts": {"arn": "arn:aws:s3:::shop-artifacts"}, "data": {"arn": "arn:aws:s3:::shop-data"}},
            "feature_group_names": ["shop-orders"],
            "model_package_group_names": ["shop-churn"],
            "vpc": {"subnet_ids": ["subnet-0123456789abcdef0"], "security_group_ids": ["sg-0123456789abcdef0"]},
            "role_statements": [{"inference": [{"sid": "Publish", "actions": ["sns:Publish"], "resources": [_TOPIC]}]}],
        },
        {
            "buckets": {
                "artifacts": {"arn": "arn:aws:s3:::shop-artifacts"},
                "data": {"arn": "arn:aws:s3:::shop-data"},
                "lake": {"arn": "arn:aws:s3:::lake"},
            },
            "decrypt_key_arns": [_OTHER_KEY],
            "existing_role_arns": {"pipeline": _build_role_arn("pipeline")},
            "feature_group_names": ["shop-orders", "shop-returns"],
            "image_repository_arns": [f"arn:aws:ecr:{_REGION}:{_ACCOUNT}:repository/churn"],
            "kms_key_arn": _OTHER_KEY,
            "model_package_group_names": ["shop-churn", "shop-size"],
            "name_prefix": "store",
            "permissions_boundary_arn": _BOUNDARY,
            "role_path": "/mlops/",
            "role_statements": [
                {"inference": [{"sid": "Publish", "actions": ["sns:Publish"], "resources": [_TOPIC, f"{_TOPIC}-2"]}]}
            ],
            "s3_paths": {"training": _PHASE_PATHS},
            "tags": {"workload": "returns"},
            "verify_location": True,
            "vpc": None,
        },
    ),
    "async_endpoint": InputCase(
        {
            **_LOCATION,
            **_ENDPOINT,
            "name_prefix": "shop-async",
            "alarm_actions": [_TOPIC],
            "image_uri": _build_image("churn:1-arm64"),
            "s3_uri": "s3://shop-requests/async-inference",
        },
        {
            **_ENDPOINT_CHANGES,
            **_INSTANCE_CHANGES,
            **_list_model_changes("churn:2-arm64"),
            "bake_seconds": 600,
            "instance_type": "ml.c7g.xlarge",
            "max_instances": 3,
            "min_instances": 1,
            "requests_per_instance": 4,
            "rollback_failures": 2,
            "s3_uri": "s3://shop-requests/elsewhere",
            "scale_in_while_busy": True,
            "silicon": "x86",
            "target_backlog_per_instance": 2,
            "vpc_config": _VPC_CONFIG,
        },
        {**_MODEL_COMPANIONS, "silicon": {"instance_type": "ml.c7i.large", "image_uri": _build_image("churn:1")}},
    ),
    "bootstrap": InputCase(
        {**_LOCATION, "name_prefix": "shop", "deletion_protection": False, "environments": {"dev": _CI}, "tags": _TAGS},
        {
            "additional_actions": ["lambda:*"],
            "block_public_access": False,
            "break_glass_role_arns": [_build_role_arn("break-glass")],
            "deletion_protection": True,
            "environments": {
                "dev": {**_CI, "apply": {**_CI["apply"], "gitlab": [{"project": "acme/shop", "branches": ["main"]}]}}
            },
            "existing_kms_key": {"arn": _OTHER_KEY},
            "github": {"create_provider": False},
            "gitlab": {"url": "https://git.example.com"},
            "name_prefix": "store",
            "noncurrent_version_days": 30,
            "permissions_boundary_arn": _BOUNDARY,
            "role_path": "/ci/",
            "tags": {"workload": "returns"},
            "verify_location": True,
        },
    ),
    "feature_store": InputCase(
        {
            "name_prefix": "shop",
            "kms_key_arn": _KEY,
            "offline_store_s3_uri": "s3://shop-features/feature-store",
            "role_arn": _build_role_arn("shop-data-preparation"),
            "tags": _TAGS,
            "deletion_protection": False,
            "feature_groups": {"orders": _build_feature_group()},
            "table_optimizers": {},
        },
        {
            "deletion_protection": True,
            "feature_groups": {"orders": _build_feature_group(), "returns": _build_feature_group(online={})},
            "kms_key_arn": _OTHER_KEY,
            "name_prefix": "store",
            "offline_store_s3_uri": "s3://shop-features/elsewhere",
            "permissions_boundary_arn": _BOUNDARY,
            "role_arn": _build_role_arn("shop-other"),
            "role_path": "/mlops/",
            "table_optimizers": {"compaction": False, "retention": {}, "orphan_file_deletion": {}},
            "tags": {"workload": "returns"},
        },
    ),
    "footprint": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "deletion_protection": False,
            "anomaly_detection": {},
            "budgets": {"orders": {"monthly_limit_usd": 400}},
            "notify_emails": ["ml@example.org"],
            "tags": _TAGS,
        },
        {
            "anomaly_detection": {"minimum_impact_usd": 50},
            "budgets": {
                "orders": {"monthly_limit_usd": 500, "actual_percent": [90]},
                "returns": {"monthly_limit_usd": 20},
            },
            "carbon_export": {"expire_after_days": 400, "keep_every_delivery": True},
            "cost_allocation_tags": ["workload"],
            "deletion_protection": True,
            "existing_kms_key": {"arn": _OTHER_KEY},
            "name_prefix": "store",
            "notify_emails": ["ml@example.org", "finance@example.org"],
            "subscribers": {"team": {"protocol": "email", "endpoint": "ml-team@example.com"}},
            "tags": {"workload": "returns"},
            "verify_location": True,
            "workload_tag_key": "team",
        },
    ),
    "images": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "deletion_protection": False,
            "kms_key_arn": _KEY,
            "repositories": {"churn": {"reader_account_ids": ["210987654321"]}},
            "tags": _TAGS,
        },
        {
            "deletion_protection": True,
            "kms_key_arn": _OTHER_KEY,
            "name_prefix": "store",
            "replicate_from_account_ids": ["210987654321"],
            "replicate_to": [{"account_id": "210987654321", "region": "eu-north-1"}],
            "repositories": {"churn": {"reader_account_ids": ["210987654321"], "expire_untagged_after_days": 1}},
            "tags": {"workload": "returns"},
            "verify_location": True,
        },
    ),
    "model_registry": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "deletion_protection": False,
            "approval_topic": {"kms_key_arn": _KEY},
            "model_package_groups": {"churn": {"reader_account_ids": ["210987654321"]}},
            "tags": _TAGS,
        },
        {
            "approval_topic": {"kms_key_arn": _OTHER_KEY},
            "deletion_protection": True,
            "delivery": {
                "connection_arn": "arn:aws:events:eu-north-1:123456789012:connection/gitlab/1234abcd",
                "gitlab": {"project_id": "4711"},
            },
            "model_package_groups": {"churn": {"reader_account_ids": ["210987654321"]}, "size": {}},
            "name_prefix": "store",
            "permissions_boundary_arn": _BOUNDARY,
            "role_path": "/mlops/",
            "tags": {"workload": "returns"},
            "verify_location": True,
        },
    ),
    "network": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "vpc_id": "vpc-0123456789abcdef0",
            "subnet_ids": _SUBNETS,
            "route_table_ids": ["rtb-0123456789abcdef0"],
            "client_security_group_ids": {"function": "sg-0123456789abcdef0"},
            "purposes": ["call_endpoints"],
            "tags": _TAGS,
        },
        {
            "bucket_account_ids": ["210987654321"],
            "client_cidr_blocks": ["10.0.0.0/16"],
            "client_security_group_ids": {},
            "existing_s3_prefix_list_id": "pl-c3aa4faa",
            "endpoint_subnet_ids": _SUBNETS[:1],
            "name_prefix": "store",
            "purposes": ["call_endpoints", "start_jobs"],
            "readable_bucket_arns": ["arn:aws:s3:::jumpstart-cache-prod-eu-north-1"],
            "route_table_ids": ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
            "services": ["kms"],
            "subnet_ids": _SUBNETS[:1],
            "tags": {"workload": "returns"},
            "verify_location": True,
            "vpc_id": "vpc-0123456789abcdef1",
        },
    ),
    "observability": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "idle_stop": "delete",
            "kms_key_arn": _KEY,
            "tags": _TAGS,
            "endpoints": {
                "churn": {"name": "shop-churn", "kind": "serverless", "memory_mb": 2048},
                "size": {"name": "shop-size", "kind": "realtime", "instance_type": "ml.c7g.large"},
            },
        },
        {
            "dead_letter_queues": ["shop-orders-not-started"],
            "endpoints": {
                "churn": {"name": "shop-churn", "kind": "serverless", "memory_mb": 2048},
                "season": {"name": "shop-season", "kind": "async", "instance_type": "ml.c7g.large"},
                "size": {"name": "shop-size", "kind": "realtime", "instance_type": "ml.c7g.large"},
            },
            "event_scope": "name_prefix",
            "events": ["deployments"],
            "existing_publisher_role": {"arn": _build_role_arn("publisher")},
            "idle_stop": "report",
            "kms_key_arn": _OTHER_KEY,
            "log_groups": ["/aws/sagemaker/TrainingJobs"],
            "log_retention_days": 90,
            "name_prefix": "store",
            "permissions_boundary_arn": _BOUNDARY,
            "role_path": "/mlops/",
            "subscribers": {"team": {"protocol": "email", "endpoint": "ml-team@example.com"}},
            "tags": {"workload": "returns"},
            "verify_location": True,
            "thresholds": {"errors": 0.01},
            "waste_hours": 72,
        },
    ),
    "pipeline": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "name": "orders",
            "role_arn": _build_role_arn("shop-pipeline"),
            "tags": _TAGS,
            "data_arrival": {"bucket": "shop-data", "key_prefix": "raw/"},
            "definition": _build_definition("ml.m7i.large"),
            "failure_topic": {"kms_key_arn": _KEY},
            "schedule": {"expression": "rate(7 days)"},
        },
        {
            "data_arrival": {"bucket": "shop-data", "key_prefix": "raw/orders/"},
            "definition": _build_definition("ml.m7i.xlarge"),
            "description": "Sorts orders.",
            "drift": {"workload": "orders"},
            "existing_starter_role": {"arn": _build_role_arn("starter")},
            "failure_topic": {"kms_key_arn": _OTHER_KEY},
            "max_parallel_steps": 4,
            "name": "returns",
            "name_prefix": "store",
            "parameters": {"VolumeGb": "10"},
            "permissions_boundary_arn": _BOUNDARY,
            "role_arn": _build_role_arn("shop-other"),
            "role_path": "/mlops/",
            "schedule": {"expression": "rate(8 days)"},
            "start_retries": {"max_attempts": 3},
            "tags": {"workload": "returns"},
            "verify_location": True,
            "vpc_config": _VPC_CONFIG,
        },
    ),
    "realtime_endpoint": InputCase(
        {
            **_LOCATION,
            **_ENDPOINT,
            "name_prefix": "shop-realtime",
            "alarm_actions": [_TOPIC],
            "image_uri": _build_image("churn:1-arm64"),
            "latency_slo_ms": 200,
        },
        {
            **_ENDPOINT_CHANGES,
            **_INSTANCE_CHANGES,
            **_list_model_changes("churn:2-arm64"),
            "challengers": {"second": {"image_uri": _build_image("churn:2-arm64"), "weight": 10}},
            "containers": [
                {"hostname": name, "image_uri": _build_image(f"{name}:1-arm64")} for name in ("first", "second")
            ],
            "containers_mode": "Direct",
            "data_capture": {"s3_uri": "s3://shop-requests/captures"},
            "deployment": {"strategy": "canary"},
            "inference_ami_version": "al2-ami-sagemaker-inference-gpu-3-1",
            "instance_type": "ml.c7g.xlarge",
            "latency_slo_ms": 100,
            "max_instances": 5,
            "min_instances": 3,
            "model_cache": False,
            "models_s3_uri": "s3://shop-models/models/",
            "off_hours": {
                "begin": "cron(0 20 ? * MON-FRI *)",
                "end": "cron(0 6 ? * MON-FRI *)",
                "timezone": "Europe/Stockholm",
            },
            "one_instance_because": "Development: an outage of minutes is fine.",
            "requests_per_instance": 1200,
            "shadow": {"image_uri": _build_image("churn:2-arm64")},
            "silicon": "x86",
            "vpc_config": _VPC_CONFIG,
        },
        {
            **_MODEL_COMPANIONS,
            "challengers": {"deployment": {"strategy": "canary"}, "name": "shop-other"},
            "variant_name": {"name": "shop-other"},
            "shadow": {"name": "shop-other"},
            "containers": {"image_uri": None},
            "silicon": {"instance_type": "ml.c7i.large", "image_uri": _build_image("churn:1")},
            "inference_ami_version": {
                "silicon": "gpu",
                "instance_type": "ml.g5.xlarge",
                "image_uri": _build_image("churn:1-gpu"),
            },
        },
    ),
    "serverless_endpoint": InputCase(
        {**_ENDPOINT, "name_prefix": "shop-serverless", "image_uri": _build_image("churn:1")},
        {
            **_ENDPOINT_CHANGES,
            **_list_model_changes("churn:2"),
            "max_concurrency": 10,
            "memory_mb": 3072,
            "provisioned_concurrency": {"min": 1, "max": 2},
        },
        _MODEL_COMPANIONS,
    ),
    "studio": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "deletion_protection": False,
            "kms_key_arn": _KEY,
            "role_arn": _build_role_arn("shop-studio"),
            "vpc_id": "vpc-0123456789abcdef0",
            "subnet_ids": _SUBNETS,
            "security_group_ids": ["sg-0123456789abcdef0"],
            "users": {"anna": {}},
            "spaces": {"notebooks": {"user": "anna"}},
            "lifecycle_scripts": {"tools": {"script": "date"}},
            "tags": _TAGS,
            "tracking_server": _TRACKING_SERVER,
        },
        {
            "auth_mode": "SSO",
            "deletion_protection": True,
            "disk_gb": {"default": 10},
            "hidden_instance_types": ["ml.g5.xlarge"],
            "keep_home_directories": False,
            "kms_key_arn": _OTHER_KEY,
            "lifecycle_scripts": {"tools": {"script": "date"}, "more": {"script": "date", "app_type": "CodeEditor"}},
            "name_prefix": "store",
            "network_access": "PublicInternetOnly",
            "permissions_boundary_arn": _BOUNDARY,
            "role_arn": _build_role_arn("shop-other"),
            "role_path": "/mlops/",
            "security_group_ids": ["sg-0123456789abcdef1"],
            "spaces": {"notebooks": {"user": "anna", "disk_gb": 20}},
            "subnet_ids": _SUBNETS[:1],
            "tags": {"workload": "returns"},
            "tracking_server": {**_TRACKING_SERVER, "size": "Medium", "automatic_model_registration": True},
            "users": {"anna": {"role_arn": _build_role_arn("shop-other")}},
            "verify_location": True,
            "vpc_id": "vpc-0123456789abcdef1",
        },
        {"auth_mode": {"users": {"anna": {"sso_user_name": "anna@example.com"}}}},
    ),
    "storage": InputCase(
        {
            **_LOCATION,
            "name_prefix": "shop",
            "deletion_protection": False,
            "extra_buckets": {"landing": {"events": True}},
            "intelligent_tiering_archive_days": 180,
            "reader_account_ids": ["210987654321"],
            "tags": _TAGS,
        },
        {
            "deletion_protection": True,
            "existing_kms_key": {"arn": _OTHER_KEY},
            "extra_buckets": {"landing": {"events": True}, "shared": {}},
            "intelligent_tiering_archive_days": 90,
            "lifecycle_days": {"captures": 7},
            "name_prefix": "store",
            "reader_account_ids": ["210987654321", "310987654321"],
            "storage_lens_export": True,
            "tags": {"workload": "returns"},
            "verify_location": True,
        },
    ),
}
