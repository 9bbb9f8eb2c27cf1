"""All changes to moto's own classes and functions. No other package of the sandbox changes moto.

`sagemaker_sandbox.services` has the operations that the sandbox answers itself. A patch corrects a
defect inside an operation of moto, or changes a call between two parts of moto. Each module describes the gap in moto,
and has one function `apply`, which changes moto in place. A patch can be deleted once moto has what it adds.

| module | replaces |
|---|---|
| `cloudformation_types` | `parsing.resource_class_from_type` |
| `cloudwatch_special_numbers` | `BaseJSONSerializer`: floats |
| `cloudwatch_alarms` | `CloudWatchBackend`: `put_metric_alarm`, `delete_alarms`, `put_metric_data` |
| `ec2_endpoint_services` | `EC2Backend`: list of VPC endpoint services |
| `ec2_network_ids` | `EC2Backend`: `create_vpc`, `create_subnet`, `create_route_table`, `create_security_group` |
| `ec2_rule_descriptions` | `SecurityGroupRule`: `description` |
| `ecr_immutable_tags` | `ECRBackend.put_image` |
| `events_connections` | `EventsBackend`: connections and API destinations; `Connection.describe` |
| `events_rules` | `Rule.send_to_targets`, `EventsBackend`: `put_rule`, `put_targets`; events of S3 |
| `iam_aws_policies` | `IAMBackend`: `get_policy`, `list_policies`, `attach_role_policy` and two like it |
| `iam_service_linked_roles` | `IAMBackend.create_service_linked_role` |
| `iam_storage_lens_arns` | `policy_validation.SERVICE_TYPE_REGION_INFORMATION_ERROR_ASSOCIATIONS` |
| `kms_grants` | `KmsResponse.list_grants` |
| `kms_key_ids` | `KmsBackend.create_key` |
| `logs_event_filters` | `LogsResponse.filter_log_events`, `LogsBackend._find_log_group` |
| `logs_retention` | `LogsBackend`: `put_retention_policy`, `get_query_results` |
| `logs_tags` | `LogsBackend.delete_log_group` |
| `s3_bucket_documents` | `S3Response`: GET, PUT and DELETE of a bucket's configurations |
| `s3_bucket_names` | `S3Backend.create_bucket` |
| `s3_bucket_tags` | `S3Backend.delete_bucket`, `S3Response`: CreateBucket |
| `s3_checksums` | `S3Response`: PutObject, UploadPart |
| `s3_conditional_writes` | `S3Response`: PutObject, CompleteMultipartUpload, DeleteObject |
| `s3_delete_markers` | `FakeDeleteMarker.dispose` |
| `s3_log_delivery` | `FakeBucket`: check of the log bucket's policy |
| `s3_object_attributes` | `S3Backend.get_object_attributes` |
| `s3_object_files` | `FakeKey.value`, `FakeMultipart.complete`, `S3Backend.copy_object`, `S3Response`: GET |
| `s3_policy_conditions` | `FakeBucket.get_permission` |
| `s3_public_access` | `S3Response._authenticate_and_authorize_s3_action` |
| `sagemaker_cloudformation` | `Model`, `FakeEndpointConfig` and other classes: the methods for CloudFormation |
| `sagemaker_clusters` | `SageMakerModelBackend.create_cluster` |
| `sagemaker_experiments` | `SageMakerModelBackend.describe_experiment` |
| `sagemaker_tags` | `SageMakerModelBackend`: tagged resources |
| `scheduler_schedules` | `EventBridgeSchedulerBackend`: `create_schedule`, `update_schedule` |
| `scheduler_tags` | `EventBridgeSchedulerBackend.delete_schedule_group` |
| `sns_subscriptions` | `SNSBackend`: `subscribe`, `unsubscribe`; `Subscription.publish`; `SNSResponse`: lists |
| `ssm_automation_documents` | `SimpleSystemManagerBackend`: `create_document`, `update_document` |
| `ssm_parameter_tiers` | `SimpleSystemManagerBackend.put_parameter` |
| `stepfunctions_executions` | `state_task_service_for`, `boto_client_for`, `get_backend`; `Execution`: saved state |
| `sts_assumed_roles` | `STSBackend.assume_role`, `TokenResponse.assume_role` |
"""

import functools
import importlib

#: Patches by moto's name of their service. Each is applied before the service is used for the first time.
PATCHES = {
    "cloudformation": ("cloudformation_types",),
    "cloudwatch": ("cloudwatch_special_numbers",),
    "ec2": ("ec2_endpoint_services", "ec2_network_ids", "ec2_rule_descriptions"),
    "ecr": ("ecr_immutable_tags",),
    "events": ("events_connections",),
    "iam": ("iam_aws_policies", "iam_service_linked_roles", "iam_storage_lens_arns"),
    "kms": ("kms_grants", "kms_key_ids"),
    "logs": ("logs_event_filters", "logs_retention", "logs_tags"),
    "s3": (
        "s3_bucket_documents",
        "s3_bucket_names",
        "s3_bucket_tags",
        "s3_checksums",
        "s3_conditional_writes",
        "s3_delete_markers",
        "s3_log_delivery",
        "s3_object_attributes",
        "s3_object_files",
        "s3_policy_conditions",
        "s3_public_access",
    ),
    "sagemaker": ("sagemaker_clusters", "sagemaker_experiments"),
    "scheduler": ("scheduler_tags",),
    "sns": ("sns_subscriptions",),
    "ssm": ("ssm_automation_documents", "ssm_parameter_tiers"),
    "stepfunctions": ("stepfunctions_executions",),
    "sts": ("sts_assumed_roles",),
}


@functools.cache
def apply(service: str) -> None:
    """Apply the patches of a service, once for the process: before it answers, or its state is restored."""
    for name in PATCHES.get(service, ()):
        importlib.import_module(f"{__name__}.{name}").apply()
