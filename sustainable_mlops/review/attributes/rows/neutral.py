"""Attributes whose change puts neither data nor privileges at risk, by type or by name.

They set a size, a name, a description, a time or a display option, or hold the content of a resource.
"""

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.review.attributes.row import AttributeRow

#: Names that a pattern of protective attributes matches by a single word.
_EXCEPTIONS = """
health_check(?:_.*)? container_startup_health_check.* (?:preferred_)?(?:backup|snapshot)_window
(?:preferred_)?(?:backup|snapshot)_time automatic_backup_start_time daily_automatic_backup_start_time
alarm_description alarm_name log_stream_name_prefix log_stream_name log_format force_new_deployment
force_update_version force_detach_policies force_delete_.*timeouts? disabled_reason final_snapshot_identifier
(?:db_)?snapshot_name_prefix copy_tags_to_snapshots? copy_tags_to_backups is_ipv6_enabled dns_record_client_routing_.*
notification_preferences checkpoint.* status_reason status_code status_codes monitoring_interval
performance_insights_retention_period insights_mode enable_ecs_managed_tags enable_cross_zone.* enable_http2
enable_performance_insights enabled_metrics internal_name history_name private_dns_name failover_weight
"""
#: Blocks and maps in which every attribute is harmless: labels, settings of programs, shapes of data.
_BLOCKS = """
tags? tags_all .*_tags tag_specifications? environment_variables? variables labels?
annotations metadata timeouts triggers keepers health_check(?:_.*)? dimensions dashboard_body default_arguments
schema feature_definition columns? partition_keys? local_secondary_index global_secondary_index
scaling_config scaling_configuration managed_instance_scaling instance_refresh instance_requirements metric_query
metric_data_queries event_pattern stickiness lifecycle_hook initial_lifecycle_hook warm_pool deployment_controller
deployment_configuration deployment_circuit_breaker capacity_provider_strategy ordered_placement_strategy
placement_constraints target_tracking_configuration step_scaling_policy_configuration predictive_scaling_configuration
target_tracking_scaling_policy_configuration step_adjustment scalable_target_action custom_error_response
fixed_response resource_requirements request_parameters request_templates response_parameters response_templates
response_models request_models integration_parameters pattern_parameters
"""
#: Blocks of named settings, in which only protective attributes matter.
_PARAMETERS = """
parameters? settings? options? properties configuration_values cluster_parameters advanced_options attributes?
environments? quota_settings throttle_settings
"""
_NAMES = """
name names family description comments? title text message caption color version runtime handler architectures?
schedule cron statistic stat unit expression matcher path path_part path_pattern filename etag publish ami image_id
engine_version platform_version release_version kubernetes_version addon_version runtime_version software_version
kafka_version glue_version python_version airflow_version spark_version auto_minor_version_upgrade evaluation_periods
datapoints_to_alarm comparison_operator treat_missing_data extended_statistic return_data content_type
content_encoding content_language content_disposition cache_control compress locale language language_code sort_order
hash_key range_key sort_key source_code_hash source_hash object_version s3_object_version package_type s3_key
function_version port container_port host_port command entry_point entrypoint working_directory latest_version
default_version update_default_version termination_policies rollback idle_timeout slow_start billing_mode table_class
storage_class price_class tier allocation_strategy tenancy_name apply_immediately replace_triggered_by propagate_tags
availability_zones? availability_zone_id az_mode zones? http_version ip_address_type default_root_object response_code
error_code response_page_path message_body option_group_name parameter_group_family deployment_id auto_deploy
max_message_size content_based_deduplication deduplication_scope amount limit_amount limit_unit time_unit
threshold_type class bundle_id worker_type machine_type availability_zone instance_pools capacity_rebalance label
display_name friendly_name metric_name dashboard_name container_name variant_name index_name stage_name name_prefix
alias_name body_hash requires_compatibilities secret_string secret_string_wo_version value_wo_version batch_size
maximum_retry_attempts split_on
"""
#: Words that a harmless name begins or ends with.
_FIRST_WORDS = r"""
min max minimum maximum desired target_capacity initial memory cpu batch buffer buffering parallel concurrent
cache caching throttl\w* spot on_demand provisioned burst deregistration healthy unhealthy wait_for compression metric
display time_period schedule_expression load_balancing cross_zone copy_tags rebalanc\w* visibility_timeout
receive_wait fifo storage_throughput allocated_storage reserved_concurrent
"""
_LAST_WORDS = """
description label comment title capacity size sizes count counts units memory cpu cpus vcpu vcpus gpu gpus iops
throughput bandwidth concurrency parallelism workers shards partitions replicas nodes dpus rate burst quota limit
weight weights priority order percent percentage ratio bytes mb gb gib mib mbps instance_type instance_types
instance_class node_type worker_type compute_type volume_type storage_type timeout timeouts interval intervals delay
cooldown warmup duration latency age period periods frequency seconds minutes hours millis milliseconds secs threshold
thresholds maintenance_window window_start time_zone timezone day_of_week hour minute start_time end_time start_date
end_date recurrence ttl cache compression format delimiter encoding charset parameter_group_name wait
maintenance_window_start engine_version runtime memory_size subject message cookie_name
"""


def _by_path(types: str, path: str, *, is_content: bool = True) -> AttributeRow:
    return AttributeRow(tuple(types.split()), path, None, is_content=is_content)


def _by_pattern(pattern: str, *, is_content: bool = False) -> AttributeRow:
    return AttributeRow((), "", None, names=LazyPattern(pattern), is_content=is_content)


def _join(words: str) -> str:
    """Return the pattern of one of the words, which match no dots."""
    return f"(?:{'|'.join(words.split())})".replace(".*", "[^.]*")


#: Attributes that hold the content of a resource, such as a program or a message, or that start and pause work.
#: Dedicated checks report the pause of security rules.
CONTENT_ROWS = (
    _by_path("aws_ssm_parameter", "value, insecure_value"),
    _by_path("aws_s3_object aws_s3_bucket_object", "source, content, content_base64"),
    _by_path("aws_sfn_state_machine", "definition"),
    _by_path("aws_dynamodb_table_item", "item"),
    _by_path("aws_secretsmanager_secret_version", "secret_binary"),
    _by_path("aws_cloudwatch_event_target", "input, input_path, input_transformer"),
    _by_path("aws_scheduler_schedule", "target.input"),
    _by_path("aws_lb_listener_rule", "condition"),
    _by_path("aws_api_gateway_deployment", "stage_description"),
    _by_path("aws_cloudwatch_query_definition", "query_string"),
    _by_path("aws_athena_named_query", "query"),
    _by_path("aws_glue_catalog_table", "storage_descriptor.columns, parameters"),
    _by_path("aws_lambda_function", "image_config"),
    *(
        _by_path(
            "aws_scheduler_schedule aws_lambda_event_source_mapping aws_glue_trigger aws_autoscaling_schedule "
            "aws_pipes_pipe aws_cloudfront_distribution aws_codestarnotifications_notification_rule",
            path, is_content=False,
        )
        for path in ("state", "enabled", "is_enabled")
    ),
)  # fmt: skip
#: Names with precedence over the protective attributes, and blocks in which every attribute is harmless.
CONTENT_PATTERNS = (
    _by_pattern(rf"(?:.*\.)?{_join(_EXCEPTIONS)}", is_content=True),
    _by_pattern(rf"(?:.*\.)?{_join(_BLOCKS)}(?:\..*)?", is_content=True),
)
#: Harmless names, and blocks of named settings, in which only protective attributes matter.
NEUTRAL_PATTERNS = (
    _by_pattern(rf"(?:.*\.)?(?:{_join(_NAMES)}|{_join(_FIRST_WORDS)}(?:_[^.]*)?|(?:[^.]*_)?{_join(_LAST_WORDS)})"),
    _by_pattern(rf"(?:.*\.)?{_join(_PARAMETERS)}\.[^.]*"),
)
