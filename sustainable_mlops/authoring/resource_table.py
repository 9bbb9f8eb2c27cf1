"""Tables of a module's page: its requirements, and its resources with the IDs that `terraform import` takes."""

from typing import Any

from sustainable_mlops.authoring.module import Module

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest"
_BUCKET, _NAME = "bucket", "name"
#: ID for `terraform import` by type. Source: section "Import" of the provider's page of each type. Types without an
#: entry cannot be imported.
IMPORT_IDS: dict[str, str] = {
    "aws_appautoscaling_policy": "service namespace/resource ID/scalable dimension/policy name",
    "aws_appautoscaling_target": "service namespace/resource ID/scalable dimension",
    "aws_bcmdataexports_export": "ARN",
    "aws_budgets_budget": "account ID:name",
    "aws_ce_anomaly_monitor": "ARN",
    "aws_ce_anomaly_subscription": "ARN",
    "aws_ce_cost_allocation_tag": "key of the tag",
    "aws_cloudwatch_composite_alarm": _NAME,
    "aws_cloudwatch_dashboard": _NAME,
    "aws_cloudwatch_event_api_destination": _NAME,
    "aws_cloudwatch_event_rule": "event bus/rule",
    "aws_cloudwatch_event_target": "event bus/rule/target ID",
    "aws_cloudwatch_log_group": _NAME,
    "aws_cloudwatch_metric_alarm": _NAME,
    "aws_ecr_lifecycle_policy": "name of the repository",
    "aws_ecr_registry_policy": "account ID",
    "aws_ecr_replication_configuration": "account ID",
    "aws_ecr_repository": _NAME,
    "aws_ecr_repository_policy": "name of the repository",
    "aws_glue_catalog_table_optimizer": "catalog ID,database,table,type",
    "aws_iam_role": _NAME,
    "aws_iam_role_policy": "role:policy",
    "aws_kms_alias": "alias/name",
    "aws_kms_key": "key ID",
    "aws_s3_account_public_access_block": "account ID",
    "aws_s3_bucket": _BUCKET,
    "aws_s3_bucket_intelligent_tiering_configuration": "bucket:name",
    "aws_s3_bucket_lifecycle_configuration": _BUCKET,
    "aws_s3_bucket_logging": _BUCKET,
    "aws_s3_bucket_notification": _BUCKET,
    "aws_s3_bucket_ownership_controls": _BUCKET,
    "aws_s3_bucket_policy": _BUCKET,
    "aws_s3_bucket_public_access_block": _BUCKET,
    "aws_s3_bucket_server_side_encryption_configuration": _BUCKET,
    "aws_s3_bucket_versioning": _BUCKET,
    "aws_s3control_storage_lens_configuration": "account ID:name",
    "aws_sagemaker_domain": "domain ID",
    "aws_sagemaker_endpoint": _NAME,
    "aws_sagemaker_endpoint_configuration": _NAME,
    "aws_sagemaker_feature_group": _NAME,
    "aws_sagemaker_mlflow_tracking_server": _NAME,
    "aws_sagemaker_model": _NAME,
    "aws_sagemaker_model_package_group": _NAME,
    "aws_sagemaker_model_package_group_policy": "name of the group",
    "aws_sagemaker_pipeline": _NAME,
    "aws_sagemaker_space": "ARN",
    "aws_sagemaker_studio_lifecycle_config": _NAME,
    "aws_sagemaker_user_profile": "ARN",
    "aws_scheduler_schedule": "group/name",
    "aws_scheduler_schedule_group": _NAME,
    "aws_security_group": "group ID",
    "aws_sns_topic": "ARN",
    "aws_sns_topic_policy": "ARN of the topic",
    "aws_sns_topic_subscription": "ARN",
    "aws_sqs_queue": "URL",
    "aws_sqs_queue_policy": "URL of the queue",
    "aws_ssm_document": _NAME,
    "aws_vpc_endpoint": "endpoint ID",
    "aws_vpc_security_group_egress_rule": "rule ID",
    "aws_vpc_security_group_ingress_rule": "rule ID",
}


def render_requirements(module: Module[Any]) -> str:
    """Return the table of requirements."""
    block = module.build_terraform_block()
    return (
        "| requirement | version |\n|---|---|\n"
        f"| Terraform or OpenTofu | {block['required_version']} |\n"
        f"| provider [hashicorp/aws]({_REGISTRY}) | {block['required_providers']['aws']['version']} |\n\n"
        "**Before an upgrade**, read [Upgrading the modules](../../docs/upgrading.md).\n"
    )


def render_resources(module: Module[Any]) -> str:
    """Return the table of resources by type."""
    rows = ["| type | resources | ID for import |", "|---|---|---|"]
    for kind, resources in sorted(module.to_json()["resource"].items()):
        page = f"{_REGISTRY}/docs/resources/{kind.removeprefix('aws_')}"
        link = f"[{kind}]({page})" if kind.startswith("aws_") else kind
        names = ", ".join(f"`{name}`" for name in sorted(resources))
        rows.append(f"| {link} | {names} | {IMPORT_IDS.get(kind, 'none; the next apply creates it')} |")
    importable = (address for address in module.list_addresses() if address.split(".")[0] in IMPORT_IDS)
    if address := next(importable, None):
        rows += [
            "",
            f"**To import** an existing resource: `terraform import 'module.{module.name}.{address}[\"KEY\"]' ID`, "
            "without the key if the resource has no `for_each`. Then plan, and apply only if the plan replaces "
            "nothing.",
        ]
    return "\n".join(rows) + "\n"
