"""Attributes that turn a safeguard on or set its coverage."""

from sustainable_mlops.review.attributes.comparisons.monitoring import (
    alerts_later,
    covers_fewer_costs,
    filters_less,
    masks_less,
    raises_budget,
    records_fewer_events,
    records_fewer_resources,
    records_less_traffic,
    scans_less,
    stops_logging,
    turns_off_setting,
    weakens_notifications,
)
from sustainable_mlops.review.attributes.row import guard
from sustainable_mlops.review.attributes.weakening import (
    changes_to,
    downgrades_from,
    gains_any,
    gains_items,
    is_emptied,
    is_raised,
    is_removed,
    is_replaced,
    is_turned_off,
    is_turned_on,
    loses_block,
    loses_items,
)
from sustainable_mlops.review.notifications import turns_off_security_rule
from sustainable_mlops.review.risk import Level

STOP, LOOK = Level.STOP, Level.LOOK
_ENABLED = downgrades_from("ENABLED")
_ORGANIZATION = downgrades_from("NEW", "ALL")
_LOAD_BALANCERS = "aws_lb aws_alb"
_NOT_DETECTED = "these threats are no longer detected"
_NEW_ACCOUNTS = "new accounts of the organization are not covered"
_LESS = "less is recorded"
_NO_LOG = "requests or events are no longer logged"
_NOT_MASKED = "sensitive data is masked or detected less"
_SILENT = "nobody is notified"
_STREAMS = ("cloudwatch_logs", "firehose", "s3")

#: The names and defaults of attributes are those of the AWS provider 5.100.
SAFEGUARD_ROWS = (
    # Detection of threats and misconfigurations.
    guard("aws_cloudtrail", "enable_logging", is_turned_off, "activity in the account is no longer recorded", STOP,
          default=True),
    *(
        guard("aws_cloudtrail", path, is_turned_off, _LESS, default=default)
        for path, default in (("is_multi_region_trail", False), ("is_organization_trail", False),
                              ("include_global_service_events", True))
    ),
    guard("aws_cloudtrail", "enable_log_file_validation", is_turned_off, "changes of log files are not detected"),
    guard("aws_cloudtrail", "cloud_watch_logs_group_arn", is_removed, "alarms on its logs no longer receive data"),
    guard("aws_cloudtrail aws_cloudtrail_event_data_store", "event_selector, advanced_event_selector",
          records_fewer_events, _LESS),
    guard("aws_cloudtrail_event_data_store", "multi_region_enabled", is_turned_off, _LESS, default=True),
    guard("aws_cloudtrail_event_data_store", "organization_enabled", is_turned_off, _LESS),
    guard("aws_cloudtrail_event_data_store", "suspend", is_turned_on, "events are no longer recorded", STOP),
    guard("aws_config_configuration_recorder_status", "is_enabled", is_turned_off,
          "changes of resources are no longer recorded", STOP, default=True, level_if_new=LOOK),
    guard("aws_config_configuration_recorder", "recording_group", records_fewer_resources, _LESS),
    guard("aws_config_configuration_recorder", "recording_mode.0.recording_frequency", changes_to("DAILY"), _LESS,
          default="CONTINUOUS"),
    guard("aws_flow_log", "traffic_type", records_less_traffic, _LESS),
    guard("aws_wafv2_web_acl_logging_configuration", "logging_filter.0.default_behavior", changes_to("DROP"), _LESS,
          default="KEEP"),
    guard("aws_networkfirewall_logging_configuration", "logging_configuration.0.log_destination_config",
          loses_block("log_type"), _LESS),
    *(
        guard("aws_bedrock_model_invocation_logging_configuration", f"logging_config.{kind}_data_delivery_enabled",
              is_turned_off, _LESS, default=True)
        for kind in ("embedding", "image", "text", "video")
    ),
    *(
        guard("aws_bedrock_model_invocation_logging_configuration", f"logging_config.{name}", is_removed,
              "calls of models are no longer recorded there")
        for name in ("cloudwatch_config", "s3_config")
    ),
    guard(f"{_LOAD_BALANCERS} aws_elb", "access_logs", stops_logging, _NO_LOG),
    guard(_LOAD_BALANCERS, "connection_logs", stops_logging, _NO_LOG),
    guard("aws_s3_bucket", "logging", is_removed, _NO_LOG),
    guard("aws_cloudfront_distribution", "logging_config", is_removed, _NO_LOG),
    guard("aws_api_gateway_stage aws_apigatewayv2_stage", "access_log_settings", is_removed, _NO_LOG),
    guard("aws_api_gateway_method_settings", "settings.0.logging_level", downgrades_from("ERROR", "INFO"), _LESS),
    guard("aws_appsync_graphql_api", "log_config", is_removed, _NO_LOG),
    guard("aws_sfn_state_machine", "logging_configuration.0.level", downgrades_from("FATAL", "ERROR", "ALL"), _LESS),
    guard("aws_eks_cluster", "enabled_cluster_log_types", loses_items, _LESS),
    guard("aws_db_instance aws_rds_cluster aws_docdb_cluster", "enabled_cloudwatch_logs_exports", loses_items, _LESS),
    guard("aws_neptune_cluster", "enable_cloudwatch_logs_exports", loses_items, _LESS),
    guard("aws_opensearch_domain aws_elasticsearch_domain", "log_publishing_options",
          loses_block("log_type", enabled=True), _LESS),
    *(
        guard("aws_msk_cluster", f"logging_info.0.broker_logs.0.{stream}.0.enabled", is_turned_off, _LESS)
        for stream in _STREAMS
    ),
    guard("aws_redshift_cluster", "logging.0.enable", is_turned_off, _NO_LOG),
    guard("aws_redshift_logging", "log_exports", loses_items, _LESS),
    guard("aws_elasticache_replication_group aws_elasticache_cluster", "log_delivery_configuration",
          loses_block("log_type"), _LESS),
    guard("aws_transfer_server", "logging_role", is_removed, _NO_LOG),
    guard("aws_cloudwatch_log_data_protection_policy", "policy_document", masks_less, _NOT_MASKED),
    guard("aws_sns_topic_data_protection_policy", "policy", masks_less, _NOT_MASKED),
    guard("aws_securitylake_aws_log_source", "source.0.regions", loses_items, _LESS),
    # Interval at which updates of findings are published (boto3, FindingPublishingFrequency).
    guard("aws_guardduty_detector", "enable", is_turned_off, "threats in the account are no longer detected", STOP,
          default=True),
    # Traffic filters.
    guard("aws_guardduty_detector aws_macie2_account", "finding_publishing_frequency",
          downgrades_from("ONE_HOUR", "FIFTEEN_MINUTES"), "updates of findings are published later"),
    *(
        guard("aws_guardduty_detector", f"datasources.0.{path}.0.enable", is_turned_off, _NOT_DETECTED)
        for path in ("s3_logs", "kubernetes.0.audit_logs",
                     "malware_protection.0.scan_ec2_instance_with_findings.0.ebs_volumes")
    ),
    guard("aws_guardduty_detector_feature aws_guardduty_member_detector_feature", "status", _ENABLED, _NOT_DETECTED,
          default="ENABLED", level_if_new=LOOK),
    guard("aws_guardduty_detector_feature aws_guardduty_member_detector_feature", "additional_configuration",
          loses_block("name", status="ENABLED"), _NOT_DETECTED),
    guard("aws_guardduty_organization_configuration", "auto_enable_organization_members", _ORGANIZATION, _NEW_ACCOUNTS),
    guard("aws_guardduty_organization_configuration_feature", "auto_enable", _ORGANIZATION, _NEW_ACCOUNTS),
    guard("aws_guardduty_filter aws_macie2_findings_filter", "action", changes_to("ARCHIVE"),
          "its findings are archived, and nobody sees them", default="NOOP", level_if_new=LOOK),
    guard("aws_inspector2_filter", "action", changes_to("SUPPRESS"),
          "its findings are suppressed, and nobody sees them", default="NONE", level_if_new=LOOK),
    guard("aws_guardduty_threatintelset", "activate", is_turned_off, _NOT_DETECTED),
    guard("aws_guardduty_ipset", "activate", is_turned_on, "addresses in it cause no findings", level_if_new=LOOK),
    guard("aws_ssm_patch_baseline", "rejected_patches", gains_any, "these patches are no longer installed"),
    guard("aws_securityhub_account", "auto_enable_controls", is_turned_off, "new controls are not checked",
          default=True),
    guard("aws_securityhub_organization_configuration aws_macie2_organization_configuration "
          "aws_detective_organization_configuration aws_guardduty_organization_configuration", "auto_enable",
          is_turned_off, _NEW_ACCOUNTS),
    guard("aws_securityhub_organization_configuration", "auto_enable_standards", downgrades_from("DEFAULT"),
          _NEW_ACCOUNTS, default="DEFAULT"),
    guard("aws_securityhub_standards_control", "control_status", _ENABLED, "the control is no longer checked",
          default="ENABLED", level_if_new=LOOK),
    guard("aws_securityhub_standards_control_association", "association_status", _ENABLED,
          "the control is no longer checked", default="ENABLED", level_if_new=LOOK),
    guard("aws_securityhub_configuration_policy", "configuration_policy.0.service_enabled", is_turned_off,
          "Security Hub is turned off in accounts", STOP, default=True, level_if_new=STOP),
    guard("aws_securityhub_configuration_policy", "configuration_policy.0.enabled_standard_arns", loses_items,
          "the controls of a standard are no longer checked"),
    guard("aws_securityhub_configuration_policy",
          "configuration_policy.0.security_controls_configuration.0.disabled_control_identifiers", gains_items,
          "a control is no longer checked"),
    guard("aws_securityhub_configuration_policy",
          "configuration_policy.0.security_controls_configuration.0.enabled_control_identifiers", loses_items,
          "a control is no longer checked"),
    guard("aws_macie2_account", "status", _ENABLED, "sensitive data in buckets is no longer detected", STOP,
          default="ENABLED", level_if_new=LOOK),
    guard("aws_macie2_classification_job", "job_status", downgrades_from("RUNNING"),
          "the job no longer looks for sensitive data", default="RUNNING"),
    guard("aws_accessanalyzer_analyzer", "type", downgrades_from("ACCOUNT", "ORGANIZATION"),
          "external access in other accounts is no longer detected", default="ACCOUNT"),
    guard("aws_accessanalyzer_analyzer", "configuration.0.unused_access.0.unused_access_age", is_raised,
          "unused access is detected later", default=90),
    guard("aws_inspector2_enabler", "resource_types", loses_items,
          "some resources are no longer scanned for vulnerabilities"),
    guard("aws_inspector2_enabler", "account_ids", loses_items,
          "some resources are no longer scanned for vulnerabilities"),
    *(
        guard("aws_inspector2_organization_configuration", f"auto_enable.0.{kind}", is_turned_off, _NEW_ACCOUNTS)
        for kind in ("ec2", "ecr", "lambda", "lambda_code")
    ),
    guard("aws_config_remediation_configuration", "automatic", is_turned_off,
          "corrections no longer start automatically"),
    guard("aws_ecr_registry_scanning_configuration", "scan_type, rule", scans_less, "images are scanned less"),
    guard("aws_ecr_repository", "image_scanning_configuration.0.scan_on_push", is_turned_off,
          "new images are not scanned"),
    guard("aws_cloudwatch_log_anomaly_detector", "enabled", is_turned_off, "anomalies in logs are no longer detected"),
    guard("aws_fms_policy", "remediation_enabled", is_turned_off, "resources are no longer corrected"),
    # Account-wide defaults and limits of access.
    guard("aws_cloudfront_distribution", "web_acl_id", is_removed, "no web ACL filters the requests to it", STOP),
    guard(_LOAD_BALANCERS, "enable_waf_fail_open", is_turned_on, "requests pass if the web ACL does not respond"),
    guard(_LOAD_BALANCERS, "drop_invalid_header_fields", is_turned_off, "invalid headers reach the targets"),
    guard(f"{_LOAD_BALANCERS} aws_elb", "desync_mitigation_mode", downgrades_from("defensive", "strictest"),
          "desync attacks can reach the targets", default="defensive"),
    *(
        guard("aws_networkfirewall_firewall", path, is_turned_off, "the firewall can be changed or deleted")
        for path in ("delete_protection", "firewall_policy_change_protection", "subnet_change_protection")
    ),
    guard("aws_networkfirewall_firewall", "subnet_mapping", loses_block("subnet_id"),
          "traffic of a zone is no longer inspected"),
    guard("aws_route53_resolver_firewall_rule", "action", downgrades_from("ALERT", "BLOCK"),
          "blocked domain names can be resolved again"),
    guard("aws_route53_resolver_firewall_rule_group_association", "mutation_protection", _ENABLED,
          "the association can be removed"),
    guard("aws_route53_resolver_firewall_config", "firewall_fail_open", downgrades_from("DISABLED"),
          "blocked domain names can be resolved while the firewall does not respond", default="DISABLED"),
    guard("aws_route53_hosted_zone_dnssec", "signing_status", downgrades_from("SIGNING"),
          "DNS responses are no longer signed", default="SIGNING"),
    guard("aws_shield_application_layer_automatic_response", "action", downgrades_from("COUNT", "BLOCK"),
          "attacks are no longer mitigated automatically"),
    guard("aws_shield_proactive_engagement", "enabled", is_turned_off,
          "the Shield response team no longer contacts you"),
    guard("aws_shield_subscription", "auto_renew", _ENABLED, "the subscription is not renewed", default="ENABLED"),
    guard("aws_bedrock_guardrail",
          "content_policy_config, contextual_grounding_policy_config, sensitive_information_policy_config, "
          "topic_policy_config, word_policy_config", filters_less, "prompts or answers are filtered less"),
    guard("aws_bedrockagent_agent", "guardrail_configuration", is_removed, "no guardrail filters prompts and answers",
          STOP),
    # Costs.
    guard("aws_secretsmanager_secret_rotation", "rotation_rules.0.automatically_after_days", is_raised,
          "the secret is rotated less often"),
    guard("aws_db_instance aws_rds_cluster", "manage_master_user_password", is_turned_off,
          "the password is no longer rotated"),
    # Alarms and notifications.
    guard("aws_budgets_budget", "limit_amount", raises_budget, "higher costs cause no notification"),
    guard("aws_budgets_budget", "cost_filter", covers_fewer_costs, "the budget counts fewer costs"),
    guard("aws_budgets_budget", "notification", weakens_notifications,
          "the notification of high costs comes later, or never"),
    guard("aws_budgets_budget_action", "approval_model", downgrades_from("AUTOMATIC"),
          "the action on exceeded budgets waits until a person approves"),
    guard("aws_budgets_budget_action", "action_threshold.0.action_threshold_value", is_raised,
          "costs are stopped later"),
    guard("aws_budgets_budget_action", "subscriber", loses_block("address"), _SILENT),
    guard("aws_ce_cost_allocation_tag", "status", downgrades_from("Active"),
          "costs no longer carry the tag, so budgets and reports by the tag count nothing"),
    guard("aws_ce_anomaly_subscription", "subscriber", loses_block("address"), _SILENT),
    guard("aws_ce_anomaly_subscription", "monitor_arn_list", loses_items, _SILENT),
    guard("aws_athena_workgroup", "configuration.0.bytes_scanned_cutoff_per_query", is_removed,
          "no limit stops an expensive query"),
    # Backups.
    guard("aws_cloudwatch_metric_alarm aws_cloudwatch_composite_alarm", "actions_enabled", is_turned_off, _SILENT,
          default=True),
    guard("aws_cloudwatch_metric_alarm aws_cloudwatch_composite_alarm", "alarm_actions", is_emptied, _SILENT),
    guard("aws_cloudwatch_metric_alarm",
          "comparison_operator, threshold, evaluation_periods, datapoints_to_alarm, period, treat_missing_data, "
          "statistic, extended_statistic", alerts_later, "the alarm goes into ALARM later, or never"),
    guard("aws_cloudwatch_composite_alarm", "actions_suppressor.0.alarm", is_replaced, _SILENT),
    guard("aws_db_event_subscription aws_docdb_event_subscription aws_neptune_event_subscription "
          "aws_redshift_event_subscription", "enabled", is_turned_off, _SILENT, default=True),
    guard("aws_cloudwatch_event_rule", "event_pattern, state, is_enabled", turns_off_security_rule, _SILENT),
    guard("aws_ssm_maintenance_window", "enabled", is_turned_off, "its tasks, such as patches, no longer run",
          default=True),
    guard("aws_route53_health_check", "disabled", is_turned_on, "the endpoint is no longer checked"),
    guard("aws_synthetics_canary", "start_canary", is_turned_off, "the endpoint is no longer checked"),
    guard("aws_internetmonitor_monitor", "status", downgrades_from("ACTIVE"),
          "internet disruptions are no longer detected", default="ACTIVE"),
    # Backups.
    guard("aws_backup_vault_notifications", "backup_vault_events", loses_items, _SILENT),
    guard("aws_backup_region_settings", "resource_type_opt_in_preference", turns_off_setting,
          "resources of this type are no longer backed up", STOP),
    guard("aws_backup_framework", "control", loses_block("name"), "backups are audited less"),
)  # fmt: skip
