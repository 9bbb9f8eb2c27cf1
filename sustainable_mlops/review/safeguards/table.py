"""Resource types whose existence protects something, and the effect of their removal."""

from collections.abc import Callable
from typing import NamedTuple

from sustainable_mlops.plan import Block
from sustainable_mlops.review.comparison import Comparison
from sustainable_mlops.review.notifications import (
    is_security_rule,
    is_security_target,
    reaches_people,
    sets_session_logs,
)
from sustainable_mlops.review.risk import Level, RiskArea

STOP, LOOK = Level.STOP, Level.LOOK
DATA, PRIVILEGES = RiskArea.DATA, RiskArea.PRIVILEGES


class Safeguard(NamedTuple):
    """A resource type whose existence protects something.

    There is one in each account and Region, unless `path` or `key` identifies the protected resource.
    """

    effect: str
    level: Level = LOOK
    area: RiskArea = RiskArea.SAFEGUARDS
    #: Attributes that name the protected resource. A safeguard that is removed together with it is no risk.
    path: str = ""
    #: Type of the protected resource; empty for any type.
    kind: str = ""
    #: Attributes that are equal in a replacement; by default those of `path`.
    key: tuple[str, ...] = ()
    #: Test that selects the resources that protect something; None if all do.
    protects: Callable[[Block, Comparison], bool] | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        """The attributes that are equal in a replacement; empty if there is one in each account and Region."""
        return self.key or tuple(filter(None, self.path.split(", ")))


def _build_bucket_safeguard(effect: str, level: Level = STOP, area: RiskArea = DATA) -> Safeguard:
    return Safeguard(effect, level, area, "bucket", "aws_s3_bucket")


_FINDINGS = "its findings reach nobody"
_NEW_ACCOUNTS = "new accounts of the organization are not covered"
_MEMBER = "this account no longer reports to the administrator account"
_NO_BACKUPS = "this plan no longer makes backups"
_NO_WAF = "no web ACL of AWS WAF filters the requests to it"

#: The effect of each removal. The AWS documentation of each service describes it.
SAFEGUARDS: dict[str, Safeguard] = {
    # Buckets.
    "aws_s3_bucket_versioning": _build_bucket_safeguard(
        "versioning is suspended: overwritten objects cannot be restored"
    ),
    "aws_s3_bucket_object_lock_configuration": _build_bucket_safeguard("new objects are no longer locked"),
    "aws_s3_bucket_replication_configuration": _build_bucket_safeguard("objects are no longer replicated"),
    "aws_s3_bucket_public_access_block": _build_bucket_safeguard("public access is no longer blocked", area=PRIVILEGES),
    "aws_s3_bucket_ownership_controls": _build_bucket_safeguard(
        "access control lists may apply again", LOOK, PRIVILEGES
    ),
    "aws_s3_bucket_server_side_encryption_configuration": _build_bucket_safeguard(
        "new objects are no longer encrypted with the configured key", LOOK, PRIVILEGES
    ),
    "aws_s3_bucket_logging": _build_bucket_safeguard(
        "access to the objects is no longer logged", LOOK, RiskArea.SAFEGUARDS
    ),
    # Backups and copies.
    "aws_backup_plan": Safeguard(_NO_BACKUPS, STOP, DATA, key=("name",)),
    "aws_backup_selection": Safeguard(
        "the selected resources are no longer backed up", STOP, DATA, "plan_id", "aws_backup_plan", ("plan_id", "name")
    ),
    "aws_backup_vault_lock_configuration": Safeguard(
        "recovery points can be deleted", STOP, DATA, "backup_vault_name", "aws_backup_vault"
    ),
    "aws_backup_region_settings": Safeguard("this configuration no longer sets which resource types are backed up"),
    "aws_backup_framework": Safeguard("backups are no longer audited", key=("name",)),
    "aws_backup_restore_testing_plan": Safeguard("restores are no longer tested", key=("name",)),
    "aws_backup_vault_notifications": Safeguard(
        "nobody is notified of failed backups", path="backup_vault_name", kind="aws_backup_vault"
    ),
    "aws_efs_backup_policy": Safeguard(
        "the file system is no longer backed up", STOP, DATA, "file_system_id", "aws_efs_file_system"
    ),
    "aws_efs_replication_configuration": Safeguard(
        "the file system is no longer replicated", STOP, DATA, "source_file_system_id", "aws_efs_file_system"
    ),
    "aws_db_instance_automated_backups_replication": Safeguard(
        "automated backups are no longer copied", STOP, DATA, "source_db_instance_arn", "aws_db_instance"
    ),
    "aws_dlm_lifecycle_policy": Safeguard("this policy no longer makes snapshots", STOP, DATA, key=("description",)),
    "aws_redshift_snapshot_copy": Safeguard(
        "snapshots are no longer copied to another Region", STOP, DATA, "cluster_identifier", "aws_redshift_cluster"
    ),
    "aws_redshift_snapshot_schedule": Safeguard("this schedule no longer makes snapshots", STOP, DATA,
                                                key=("identifier",)),
    "aws_redshift_snapshot_schedule_association": Safeguard(
        "the cluster no longer follows this snapshot schedule", STOP, DATA, "cluster_identifier",
        "aws_redshift_cluster",
    ),
    "aws_rbin_rule": Safeguard(
        "deleted snapshots and images can no longer be restored", STOP, DATA, key=("resource_type", "resource_tags")
    ),
    "aws_ecr_replication_configuration": Safeguard(
        "replication ends: images are no longer copied to other registries", LOOK, DATA
    ),
    "aws_msk_replicator": Safeguard("topics are no longer copied", LOOK, DATA, key=("replicator_name",)),
    "aws_datasync_task": Safeguard(
        "files are no longer copied", LOOK, DATA, key=("source_location_arn", "destination_location_arn")
    ),
    "aws_dynamodb_kinesis_streaming_destination": Safeguard(
        "changes of items no longer reach the stream", LOOK, DATA, "table_name", "aws_dynamodb_table",
        ("table_name", "stream_arn"),
    ),
    # Activity logs.
    "aws_cloudtrail": Safeguard("CloudTrail no longer records activity in the account", STOP, key=("name",)),
    "aws_config_configuration_recorder": Safeguard("AWS Config no longer records changes of resources", STOP),
    "aws_config_configuration_recorder_status": Safeguard("AWS Config no longer records changes of resources", STOP),
    "aws_config_delivery_channel": Safeguard("AWS Config no longer delivers its records", STOP),
    "aws_config_retention_configuration": Safeguard("records are kept for the default time"),
    "aws_flow_log": Safeguard(
        "no flow log records the traffic",
        path="vpc_id, subnet_id, eni_id, transit_gateway_id, transit_gateway_attachment_id",
    ),
    "aws_route53_resolver_query_log_config": Safeguard("DNS queries are no longer logged", key=("name",)),
    "aws_route53_resolver_query_log_config_association": Safeguard(
        "DNS queries are no longer logged", path="resource_id"
    ),
    "aws_route53_query_log": Safeguard("DNS queries are no longer logged", path="zone_id"),
    "aws_networkfirewall_logging_configuration": Safeguard(
        "the firewall logs nothing", path="firewall_arn", kind="aws_networkfirewall_firewall"
    ),
    "aws_wafv2_web_acl_logging_configuration": Safeguard(
        "the web ACL logs nothing", path="resource_arn", kind="aws_wafv2_web_acl"
    ),
    "aws_bedrock_model_invocation_logging_configuration": Safeguard("calls of models are no longer logged", STOP),
    "aws_redshift_logging": Safeguard(
        "connections and queries are no longer recorded", path="cluster_identifier", kind="aws_redshift_cluster"
    ),
    "aws_rds_cluster_activity_stream": Safeguard("activity in the databases is no longer recorded",
                                                 path="resource_arn"),
    "aws_vpclattice_access_log_subscription": Safeguard(
        "requests are no longer recorded", path="resource_identifier", key=("resource_identifier", "destination_arn")
    ),
    "aws_verifiedaccess_instance_logging_configuration": Safeguard(
        "requests are no longer recorded", path="verifiedaccess_instance_id"
    ),
    "aws_directory_service_log_subscription": Safeguard("events are no longer recorded", path="directory_id"),
    "aws_cloudfront_realtime_log_config": Safeguard("requests are no longer recorded in real time", key=("name",)),
    "aws_cloudwatch_log_subscription_filter": Safeguard(
        "logs no longer reach their destination", path="log_group_name", kind="aws_cloudwatch_log_group",
        key=("log_group_name", "destination_arn"),
    ),
    "aws_cloudwatch_log_account_policy": Safeguard("a policy for all log groups no longer applies",
                                                   key=("policy_type", "policy_name")),
    "aws_cloudwatch_log_data_protection_policy": Safeguard(
        "sensitive data in logs is no longer masked", path="log_group_name", kind="aws_cloudwatch_log_group"
    ),
    "aws_sns_topic_data_protection_policy": Safeguard(
        "sensitive data in messages is no longer masked", path="arn", kind="aws_sns_topic"
    ),
    "aws_securitylake_aws_log_source": Safeguard("the data lake no longer collects this source", key=("source",)),
    # Detection of threats and misconfigurations.
    "aws_guardduty_detector": Safeguard("GuardDuty no longer detects threats in the account", STOP),
    "aws_guardduty_detector_feature": Safeguard(
        "this configuration no longer sets the GuardDuty feature", path="detector_id", kind="aws_guardduty_detector",
        key=("detector_id", "name"),
    ),
    "aws_guardduty_member_detector_feature": Safeguard(
        "this configuration no longer sets the GuardDuty feature", path="detector_id", kind="aws_guardduty_detector",
        key=("detector_id", "account_id", "name"),
    ),
    "aws_guardduty_organization_configuration": Safeguard(
        _NEW_ACCOUNTS, path="detector_id", kind="aws_guardduty_detector"
    ),
    "aws_guardduty_organization_configuration_feature": Safeguard(
        _NEW_ACCOUNTS, path="detector_id", kind="aws_guardduty_detector", key=("detector_id", "name")
    ),
    "aws_guardduty_organization_admin_account": Safeguard("no account administers GuardDuty", STOP),
    "aws_guardduty_member": Safeguard(
        _MEMBER, path="detector_id", kind="aws_guardduty_detector", key=("detector_id", "account_id")
    ),
    "aws_guardduty_publishing_destination": Safeguard(
        "findings are no longer exported", path="detector_id", kind="aws_guardduty_detector"
    ),
    "aws_guardduty_threatintelset": Safeguard(
        "these addresses no longer count as threats", path="detector_id", kind="aws_guardduty_detector",
        key=("detector_id", "name"),
    ),
    "aws_guardduty_malware_protection_plan": Safeguard(
        "new objects are no longer scanned for malware", path="protected_resource.0.s3_bucket.0.bucket_name",
        kind="aws_s3_bucket",
    ),
    "aws_securityhub_account": Safeguard("Security Hub is turned off", STOP),
    "aws_securityhub_standards_subscription": Safeguard(
        "Security Hub no longer checks the controls of this standard", key=("standards_arn",)
    ),
    "aws_securityhub_product_subscription": Safeguard(
        "findings of this product no longer arrive", key=("product_arn",)
    ),
    "aws_securityhub_finding_aggregator": Safeguard("findings of other Regions no longer arrive"),
    "aws_securityhub_organization_configuration": Safeguard(_NEW_ACCOUNTS),
    "aws_securityhub_organization_admin_account": Safeguard("no account administers Security Hub", STOP),
    "aws_securityhub_configuration_policy": Safeguard("the policy no longer applies to accounts", key=("name",)),
    "aws_securityhub_configuration_policy_association": Safeguard(
        "the policy no longer applies to this target", key=("target_id",)
    ),
    "aws_securityhub_member": Safeguard(_MEMBER, key=("account_id",)),
    "aws_macie2_account": Safeguard("Macie no longer detects sensitive data in buckets", STOP),
    "aws_macie2_organization_configuration": Safeguard(_NEW_ACCOUNTS),
    "aws_macie2_organization_admin_account": Safeguard("no account administers Macie"),
    "aws_macie2_member": Safeguard(_MEMBER, key=("account_id",)),
    "aws_macie2_classification_export_configuration": Safeguard("results of the jobs are no longer exported"),
    "aws_macie2_classification_job": Safeguard("the job no longer looks for sensitive data", key=("name",)),
    "aws_accessanalyzer_analyzer": Safeguard("no analyzer detects access from other accounts", key=("analyzer_name",)),
    "aws_inspector2_enabler": Safeguard("Inspector no longer scans for vulnerabilities", key=("account_ids",)),
    "aws_inspector2_organization_configuration": Safeguard(_NEW_ACCOUNTS),
    "aws_inspector2_delegated_admin_account": Safeguard("no account administers Inspector"),
    "aws_inspector2_member_association": Safeguard(_MEMBER, key=("account_id",)),
    "aws_detective_graph": Safeguard("findings can no longer be investigated: the behavior graph is deleted"),
    "aws_detective_member": Safeguard(_MEMBER, path="graph_arn", kind="aws_detective_graph",
                                      key=("graph_arn", "account_id")),
    "aws_detective_organization_configuration": Safeguard(
        _NEW_ACCOUNTS, path="graph_arn", kind="aws_detective_graph"
    ),
    "aws_config_config_rule": Safeguard("AWS Config no longer checks resources against this rule", key=("name",)),
    "aws_config_conformance_pack": Safeguard("AWS Config no longer checks resources against this pack", key=("name",)),
    **{
        f"aws_config_organization_{kind}": Safeguard("it no longer checks accounts", key=("name",))
        for kind in ("conformance_pack", "custom_policy_rule", "custom_rule", "managed_rule")
    },
    "aws_config_remediation_configuration": Safeguard(
        "resources that break the rule are no longer corrected", path="config_rule_name", kind="aws_config_config_rule"
    ),
    "aws_config_configuration_aggregator": Safeguard("the account no longer sees other accounts", key=("name",)),
    "aws_ecr_registry_scanning_configuration": Safeguard("the registry no longer scans images as configured here"),
    "aws_cloudwatch_log_anomaly_detector": Safeguard(
        "anomalies in logs are no longer detected", key=("log_group_arn_list",)
    ),
    "aws_devopsguru_resource_collection": Safeguard("anomalies are no longer detected"),
    "aws_devopsguru_notification_channel": Safeguard(_FINDINGS, key=("sns",)),
    "aws_auditmanager_account_registration": Safeguard("evidence is no longer collected"),
    "aws_fms_policy": Safeguard("Firewall Manager no longer applies this policy to accounts", STOP, key=("name",)),
    "aws_fms_admin_account": Safeguard("no account administers Firewall Manager", STOP),
    "aws_controltower_control": Safeguard(
        "the control no longer applies to this target", STOP, key=("control_identifier", "target_identifier")
    ),
    # Traffic filters.
    "aws_wafv2_web_acl_association": Safeguard(_NO_WAF, STOP, path="resource_arn"),
    "aws_wafregional_web_acl_association": Safeguard(_NO_WAF, STOP, path="resource_arn"),
    "aws_networkfirewall_firewall": Safeguard("traffic is no longer inspected", path="vpc_id", kind="aws_vpc"),
    "aws_route53_resolver_firewall_rule_group_association": Safeguard(
        "blocked domain names can be resolved again", path="vpc_id", kind="aws_vpc",
        key=("vpc_id", "firewall_rule_group_id"),
    ),
    "aws_route53_resolver_firewall_rule": Safeguard(
        "blocked domain names can be resolved again", path="firewall_rule_group_id",
        kind="aws_route53_resolver_firewall_rule_group", key=("firewall_rule_group_id", "firewall_domain_list_id"),
        protects=lambda values, _: values.get("action") != "ALLOW",
    ),
    "aws_route53_resolver_dnssec_config": Safeguard(
        "DNS responses are no longer validated", path="resource_id", kind="aws_vpc"
    ),
    "aws_route53_hosted_zone_dnssec": Safeguard(
        "DNS responses are no longer signed", path="hosted_zone_id", kind="aws_route53_zone"
    ),
    "aws_shield_protection": Safeguard(
        "Shield Advanced no longer protects the resource from attacks", path="resource_arn"
    ),
    "aws_shield_protection_group": Safeguard(
        "attacks on the group are no longer detected as a whole", key=("protection_group_id",)
    ),
    "aws_shield_application_layer_automatic_response": Safeguard(
        "attacks are no longer mitigated automatically", path="resource_arn"
    ),
    "aws_shield_subscription": Safeguard("Shield Advanced no longer protects the account"),
    "aws_shield_proactive_engagement": Safeguard("the Shield response team no longer contacts you"),
    "aws_shield_drt_access_role_arn_association": Safeguard("the Shield response team has no access"),
    "aws_bedrock_guardrail": Safeguard("no guardrail filters prompts and answers", STOP, key=("name",)),
    "aws_bedrock_guardrail_version": Safeguard(
        "calls that name this version are no longer filtered", path="guardrail_arn", kind="aws_bedrock_guardrail",
        key=("guardrail_arn", "description"),
    ),
    # Account-wide defaults and limits.
    "aws_s3_account_public_access_block": Safeguard(
        "public access is no longer blocked in the whole account", STOP, PRIVILEGES
    ),
    "aws_ebs_snapshot_block_public_access": Safeguard("snapshots can be shared with everyone", STOP, PRIVILEGES),
    "aws_ec2_image_block_public_access": Safeguard("images can be shared with everyone", STOP, PRIVILEGES),
    "aws_emr_block_public_access_configuration": Safeguard(
        "this configuration no longer limits the ports that clusters open to the internet", LOOK, PRIVILEGES
    ),
    "aws_vpc_block_public_access_options": Safeguard(
        "networks can be reached from the internet", STOP, PRIVILEGES
    ),
    "aws_ebs_encryption_by_default": Safeguard("new volumes are no longer encrypted", LOOK, PRIVILEGES),
    "aws_ebs_default_kms_key": Safeguard("new volumes are encrypted with the AWS managed key", LOOK, PRIVILEGES),
    "aws_ec2_instance_metadata_defaults": Safeguard(
        "new instances may answer requests for credentials without a token", LOOK, PRIVILEGES
    ),
    "aws_iam_account_password_policy": Safeguard("passwords may be weak", LOOK, PRIVILEGES),
    "aws_iam_organizations_features": Safeguard("root access is no longer managed centrally", LOOK, PRIVILEGES),
    "aws_ssoadmin_permissions_boundary_attachment": Safeguard(
        "no permissions boundary limits the permission set", STOP, PRIVILEGES, "permission_set_arn",
        "aws_ssoadmin_permission_set",
    ),
    "aws_lakeformation_resource": Safeguard(
        "IAM policies alone control access to this location", LOOK, PRIVILEGES, "arn"
    ),
    "aws_lakeformation_data_lake_settings": Safeguard(
        "the default permissions of the data lake apply again", LOOK, PRIVILEGES
    ),
    "aws_glue_data_catalog_encryption_settings": Safeguard(
        "new metadata is no longer encrypted with the configured key", LOOK, PRIVILEGES
    ),
    # Rotation.
    "aws_secretsmanager_secret_rotation": Safeguard(
        "the secret is no longer rotated", path="secret_id", kind="aws_secretsmanager_secret"
    ),
    # Costs.
    "aws_budgets_budget": Safeguard("nobody is notified when costs exceed the budget", key=("name",)),
    "aws_budgets_budget_action": Safeguard(
        "no action stops costs that exceed the budget", path="budget_name", kind="aws_budgets_budget",
        key=("budget_name", "definition"),
    ),
    "aws_ce_cost_allocation_tag": Safeguard(
        "costs no longer carry the tag, so budgets and reports by the tag count nothing", key=("tag_key",)
    ),
    "aws_ce_anomaly_monitor": Safeguard("unusual costs are no longer detected", key=("name",)),
    "aws_ce_anomaly_subscription": Safeguard("nobody is notified of unusual costs", key=("name",)),
    # Alarms and notifications.
    "aws_cloudwatch_metric_alarm": Safeguard(
        "no alarm reports that the metric crosses its threshold",
        key=("namespace", "metric_name", "dimensions", "metric_query"),
    ),
    "aws_cloudwatch_composite_alarm": Safeguard(
        "no composite alarm reports that its alarms are in ALARM", key=("alarm_name",)
    ),
    "aws_cloudwatch_log_metric_filter": Safeguard(
        "events in the logs are no longer counted, so no alarm can see them", path="log_group_name",
        kind="aws_cloudwatch_log_group", key=("log_group_name", "pattern"),
    ),
    "aws_cloudwatch_event_rule": Safeguard(
        "these events reach nobody", key=("event_pattern",), protects=is_security_rule
    ),
    "aws_cloudwatch_event_target": Safeguard(
        "the events of its rule no longer reach it", path="rule", kind="aws_cloudwatch_event_rule", key=("rule", "arn"),
        protects=is_security_target,
    ),
    "aws_sns_topic_subscription": Safeguard(
        "its messages no longer reach this subscriber", path="topic_arn", kind="aws_sns_topic",
        key=("topic_arn", "protocol", "endpoint"), protects=reaches_people,
    ),
    **{
        f"aws_{service}_event_subscription": Safeguard("nobody is notified of its events", key=(topic, "source_ids"))
        for service, topic in (("db", "sns_topic"), ("docdb", "sns_topic_arn"), ("neptune", "sns_topic_arn"),
                               ("redshift", "sns_topic_arn"))
    },
    "aws_ssm_maintenance_window": Safeguard("its tasks, such as patches, no longer run", key=("name",)),
    "aws_ssm_default_patch_baseline": Safeguard("patches follow the AWS default baseline", key=("operating_system",)),
    "aws_ssm_document": Safeguard(
        "the document no longer sets how sessions are logged", key=("name",), protects=sets_session_logs
    ),
    "aws_route53_health_check": Safeguard("no health check tests the endpoint", key=("fqdn", "ip_address", "type")),
    "aws_synthetics_canary": Safeguard("no canary tests the endpoint", key=("name",)),
    "aws_internetmonitor_monitor": Safeguard("internet disruptions are no longer detected", key=("monitor_name",)),
    "aws_sagemaker_monitoring_schedule": Safeguard(
        "no job monitors the quality of data or model",
        path="monitoring_schedule_config.0.monitoring_job_definition_name",
        kind="aws_sagemaker_data_quality_job_definition",
    ),
    "aws_sagemaker_data_quality_job_definition": Safeguard(
        "no job monitors the quality of data",
        path="data_quality_job_input.0.endpoint_input.0.endpoint_name", kind="aws_sagemaker_endpoint",
    ),
}  # fmt: skip
