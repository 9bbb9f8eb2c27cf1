"""Resource types that the model does not estimate: instances, stores, types billed by usage, and free types.

Each type of the provider is in one of these lists, has a reader, or has a fixed price. The cost of any other type is
unknown: a plan may come from a newer provider.
"""

from functools import cache

from sustainable_mlops.catalogue.service_prices import load_by_type
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind

_AI_SERVICE = "AWS does not publish the hardware of this service"
_BEDROCK = "AWS does not publish the hardware of Bedrock"
_SERVERLESS = "cost: no price known; carbon: AWS does not publish the hardware of this service"
_RUNS = "cost: billed by usage, and a plan does not contain the usage; carbon: AWS does not publish the hardware"
_SERVERS = "its cost is not counted: no price known"
#: Reason of a type in no list.
UNLISTED = "it is not known if this type costs money"
_UNKNOWN_INSTANCES = "the instances that it starts are not in the plan"

#: Types that run instances or cost money without usage, by the reason why the model does not cover them.
_INSTANCES = {
    _AI_SERVICE: """
        bedrockagentcore_agent_runtime bedrockagentcore_browser bedrockagentcore_code_interpreter
        bedrockagentcore_harness comprehend_document_classifier comprehend_entity_recognizer
        rekognition_stream_processor transcribe_language_model
    """,
    _BEDROCK: """
        bedrock_custom_model bedrock_evaluation_job bedrock_model_invocation_job
        bedrock_provisioned_model_throughput
    """,
    _SERVERLESS: """
        apprunner_service athena_capacity_reservation codebuild_fleet datapipeline_pipeline dms_replication_config
        ecs_daemon ecs_express_gateway_service ecs_service ecs_task_set eks_fargate_profile
        elasticache_serverless_cache glue_dev_endpoint kinesis_analytics_application
        kinesisanalyticsv2_application lambda_capacity_provider lambda_provisioned_concurrency_config
        lightsail_container_service m2_environment medialive_channel medialive_multiplex msk_replicator
        msk_serverless_cluster mskconnect_connector neptunegraph_graph opensearchserverless_collection
        osis_pipeline rds_shard_group transfer_web_app
    """,
    _RUNS: """
        codebuild_project codecatalyst_dev_environment emrserverless_application glue_crawler glue_job
        glue_ml_transform lambda_function lambdamicrovms_microvm redshiftserverless_workgroup synthetics_canary
    """,
    _SERVERS: """
        appstream_fleet appstream_image_builder appsync_api_cache cloud9_environment_ec2 cloudsearch_domain
        dax_cluster db_instance db_proxy directory_service_region dms_replication_instance
        docdb_cluster_instance docdbelastic_cluster ebs_fast_snapshot_restore elasticache_cluster
        elasticache_replication_group elasticsearch_domain finspace_kx_cluster finspace_kx_scaling_group
        finspace_kx_volume fsx_file_cache fsx_lustre_file_system fsx_ontap_file_system fsx_openzfs_file_system
        fsx_windows_file_system imagebuilder_image imagebuilder_image_pipeline lightsail_database
        lightsail_instance lightsail_lb memorydb_cluster mq_broker msk_cluster neptune_cluster_instance
        odb_autonomous_database odb_cloud_autonomous_vm_cluster odb_cloud_exadata_infrastructure
        odb_cloud_vm_cluster opensearch_domain rds_cluster rds_cluster_instance redshift_cluster
        timestreaminfluxdb_db_cluster timestreaminfluxdb_db_instance workspaces_pool workspaces_workspace
    """,
    "its monthly or yearly price is not known": """
        appstream_user chime_voice_connector connect_phone_number dx_gateway_association dx_lag
        ec2_transit_gateway_connect ec2_transit_gateway_connect_peer evidently_launch lightsail_distribution
        media_convert_queue msk_vpc_connection networkmanager_core_network
        networkmonitor_monitor networkmonitor_probe opsworks_instance pinpointsmsvoicev2_phone_number
        redshift_endpoint_access redshiftserverless_endpoint_access route53domains_domain
        route53domains_registered_domain storagegateway_gateway vpclattice_resource_configuration
        vpclattice_service_network_resource_association worklink_fleet
    """,
    _UNKNOWN_INSTANCES: """
        datazone_environment elastic_beanstalk_environment gamelift_fleet gamelift_game_server_group
        sagemaker_project serverlessapplicationrepository_cloudformation_stack
        servicecatalog_provisioned_product
    """,
    "it is a payment commitment; its offering names the price": """
        elasticache_reserved_cache_node rds_reserved_instance savingsplans_savings_plan
    """,
    "AWS does not publish the hardware of MLflow": "sagemaker_mlflow_app",
    "automated labeling trains on instances that AWS chooses": "sagemaker_labeling_job",
    "only the owner of an edge device knows its usage": "sagemaker_device",
}
#: Types that only store bytes or answer calls. A plan does not contain their number.
_STORES = """
    ami ami_copy ami_from_instance backup_logically_air_gapped_vault backup_vault cloudtrail_event_data_store
    db_cluster_snapshot db_snapshot db_snapshot_copy docdb_cluster docdb_cluster_snapshot dsql_cluster ebs_snapshot
    ebs_snapshot_copy ebs_snapshot_import ebs_volume_copy ecr_repository ecrpublic_repository efs_file_system
    fsx_backup glacier_vault grafana_workspace keyspaces_table kinesis_firehose_delivery_stream kinesis_video_stream
    lightsail_bucket lightsail_disk memorydb_snapshot neptune_cluster neptune_cluster_snapshot prometheus_workspace
    qbusiness_application qldb_ledger redshift_cluster_snapshot redshiftserverless_namespace
    redshiftserverless_snapshot s3_directory_bucket s3_files_file_system s3control_bucket s3tables_table_bucket
    s3vectors_vector_bucket securitylake_data_lake timestreamwrite_table
"""
_UNKNOWN_USERS = "its users have a monthly price, and a plan does not contain their number"
_UNKNOWN_SIZE = "a plan does not contain its size, and the usage file has no key for it"

#: Types with a footprint that no reader estimates, with the reason.
UNCOVERED_TYPES: dict[str, UnknownItem] = {
    f"aws_{name}": UnknownItem(f"aws_{name}", reason, unknown_kind)
    for unknown_kind, groups in (
        (UnknownKind.UNCOUNTED, _INSTANCES),
        (UnknownKind.USAGE, {_UNKNOWN_SIZE: _STORES, _UNKNOWN_USERS: "quicksight_account_subscription"}),
    )
    for reason, names in groups.items()
    for name in names.split()
}
#: SageMaker types without a footprint of their own: descriptions, settings, permissions and people.
FREE_TYPES: frozenset[str] = frozenset(
    f"aws_sagemaker_{name}"
    for name in (
        "app_image_config",
        "code_repository",
        "device_fleet",
        "flow_definition",
        "hub",
        "hub_content_reference",
        "human_task_ui",
        "image",
        "image_version",
        "model",
        "model_card",
        "model_card_export_job",
        "model_package_group",
        "model_package_group_policy",
        "notebook_instance_lifecycle_configuration",
        "servicecatalog_portfolio_status",
        "studio_lifecycle_config",
        "user_profile",
        "workforce",
        "workteam",
    )
)


#: Types billed by usage only: requests, bytes, events, users. A plan does not contain the usage.
#: A name that ends with `*` stands for all types that start with it.
_BILLED_BY_USAGE = """
    accessanalyzer_analyzer acmpca_certificate amplify_* api_gateway_api_key api_gateway_domain_name
    api_gateway_rest_api api_gateway_vpc_link apigatewayv2_api apigatewayv2_stage apigatewayv2_vpc_link
    appfabric_ingestion appflow_flow appsync_graphql_api athena_data_catalog athena_workgroup
    auditmanager_assessment backup_framework backup_plan backup_restore_testing_plan backup_selection
    bcmdataexports_export bedrock_guardrail bedrock_inference_profile bedrock_model_invocation_logging_configuration
    bedrockagent_agent bedrockagent_data_source bedrockagent_knowledge_base budgets_budget_action ce_anomaly_monitor
    chimesdkmediapipelines_* chimesdkvoice_* cleanrooms_* cloudfront_distribution cloudfront_function
    cloudfront_key_value_store cloudfront_monitoring_subscription cloudfront_realtime_log_config
    cloudfront_vpc_origin cloudtrail cloudwatch_event_api_destination cloudwatch_event_archive cloudwatch_event_bus
    cloudwatch_event_endpoint cloudwatch_log_account_policy cloudwatch_log_anomaly_detector
    cloudwatch_log_data_protection_policy cloudwatch_log_delivery cloudwatch_log_group cloudwatch_log_metric_filter
    cloudwatch_log_stream cloudwatch_log_subscription_filter cloudwatch_metric_stream codeartifact_*
    codecatalyst_project codecatalyst_source_repository codecommit_repository codedeploy_deployment_group
    codeguruprofiler_* codegurureviewer_* codepipeline cognito_identity_pool cognito_risk_configuration
    cognito_user_pool computeoptimizer_recommendation_preferences config_config_rule config_configuration_recorder
    config_configuration_recorder_status config_conformance_pack config_organization_* connect_instance
    controltower_landing_zone cur_report_definition customerprofiles_domain dataexchange_* datasync_task datazone_*
    db_instance_automated_backups_replication detective_graph detective_member devicefarm_* devopsguru_* dlm_*
    drs_replication_configuration_template dx_hosted_* dx_private_virtual_interface dx_public_virtual_interface
    dx_transit_virtual_interface dynamodb_contributor_insights dynamodb_global_table
    dynamodb_kinesis_streaming_destination dynamodb_table_export dynamodb_table_item dynamodb_table_replica
    dynamodb_tag ec2_carrier_gateway ec2_client_vpn_endpoint ec2_network_insights_analysis ec2_network_insights_path
    ec2_transit_gateway ec2_transit_gateway_multicast_domain ecs_cluster efs_replication_configuration
    elastictranscoder_* emr_studio emrcontainers_* evidently_* fis_experiment_template flow_log fms_*
    fsx_data_repository_association fsx_ontap_volume fsx_openzfs_snapshot fsx_openzfs_volume gamelift_*
    globalaccelerator_endpoint_group glue_catalog_table_optimizer glue_data_quality_ruleset glue_trigger
    glue_workflow grafana_license_association grafana_role_association guardduty_* inspector2_enabler
    inspector2_organization_configuration inspector_assessment_template internetmonitor_monitor
    iot_indexing_configuration iot_topic_rule ivs_* ivschat_* kendra_data_source kendra_experience
    kinesis_stream_consumer kms_custom_key_store lambda_event_source_mapping lambda_function_url lambda_invocation
    lex_* lexv2models_* location_* m2_deployment macie2_account macie2_classification_job macie2_member
    macie2_organization_configuration media_* medialive_input notifications_* opensearchserverless_security_config
    osis_* pinpoint_app pinpoint_email_channel pinpoint_sms_channel pipes_pipe qldb_stream quicksight_*
    rds_cluster_activity_stream rds_cluster_snapshot_copy rds_export_task rds_integration redshift_integration
    redshift_scheduled_action redshift_snapshot_copy redshiftdata_statement rekognition_collection
    rekognition_project resiliencehub_* route53_query_log route53_record
    route53_resolver_firewall_rule_group_association route53_resolver_query_log_config_association rum_*
    s3_bucket_analytics_configuration s3_bucket_intelligent_tiering_configuration s3_bucket_inventory
    s3_bucket_metric s3_bucket_object s3_object s3_object_copy s3control_multi_region_access_point
    s3control_object_lambda_access_point s3control_storage_lens_configuration s3tables_table
    scheduler_schedule_group schemas_* secretsmanager_secret_rotation securityhub_* securitylake_* ses_* sesv2_*
    shield_protection simpledb_domain sns_* sqs_queue ssm_activation ssm_association ssmcontacts_* storagegateway_*
    swf_domain timestreamquery_scheduled_query timestreamwrite_database transfer_agreement transfer_connector
    transfer_workflow verifiedpermissions_policy_store vpc_ipam vpc_ipam_pool vpc_ipam_pool_cidr_allocation
    vpc_ipam_resource_discovery vpc_network_performance_metric_subscription vpc_peering_connection
    vpclattice_service_network workspacesweb_* xray_group xray_sampling_rule
"""
#: Free types: descriptions, settings, permissions, names, connections and people.
_FREE = """
    accessanalyzer_archive_rule account_* acm_* acmpca_certificate_authority_certificate acmpca_permission
    acmpca_policy alb_* ami_launch_permission api_gateway_* apigatewayv2_* app_* appautoscaling_* appconfig_*
    appfabric_* appflow_* appintegrations_* applicationinsights_* appmesh_* apprunner_* appstream_* appsync_*
    athena_* auditmanager_* autoscaling_* autoscalingplans_* backup_* batch_job_definition batch_job_queue
    batch_scheduling_policy bedrock_guardrail_version bedrockagent_* budgets_budget ce_* chatbot_* chime_*
    cloud9_environment_membership cloudcontrolapi_resource cloudformation_* cloudfront_* cloudfrontkeyvaluestore_*
    cloudhsm_v2_cluster cloudsearch_domain_service_access_policy cloudtrail_organization_delegated_admin_account
    cloudwatch_event_* cloudwatch_log_* cloudwatch_query_definition codebuild_* codecommit_* codeconnections_*
    codedeploy_* codepipeline_* codestarconnections_* codestarnotifications_* cognito_* computeoptimizer_* config_*
    connect_* controltower_* costoptimizationhub_* customer_gateway customerprofiles_*
    datapipeline_pipeline_definition datasync_* dax_parameter_group dax_subnet_group db_* default_network_acl
    default_route_table default_security_group default_subnet default_vpc default_vpc_dhcp_options detective_*
    directory_service_* dms_certificate dms_endpoint dms_event_subscription dms_replication_subnet_group
    dms_replication_task dms_s3_endpoint docdb_cluster_parameter_group docdb_event_subscription docdb_global_cluster
    docdb_subnet_group dsql_cluster_peering dx_bgp_peer dx_connection_association dx_connection_confirmation
    dx_gateway dx_gateway_association_proposal dx_macsec_key_association dynamodb_resource_policy
    ebs_default_kms_key ebs_encryption_by_default ebs_snapshot_block_public_access ec2_availability_zone_group
    ec2_client_vpn_authorization_rule ec2_client_vpn_route ec2_default_credit_specification
    ec2_image_block_public_access ec2_instance_connect_endpoint ec2_instance_metadata_defaults ec2_instance_state
    ec2_local_gateway_route ec2_local_gateway_route_table_vpc_association ec2_managed_prefix_list
    ec2_managed_prefix_list_entry ec2_serial_console_access ec2_subnet_cidr_reservation ec2_tag
    ec2_traffic_mirror_filter ec2_traffic_mirror_filter_rule ec2_traffic_mirror_target ec2_transit_gateway_default_*
    ec2_transit_gateway_multicast_* ec2_transit_gateway_peering_attachment_accepter
    ec2_transit_gateway_policy_table* ec2_transit_gateway_prefix_list_reference ec2_transit_gateway_route*
    ec2_transit_gateway_vpc_attachment_accepter ecr_* ecrpublic_repository_policy ecs_account_setting_default
    ecs_capacity_provider ecs_cluster_capacity_providers ecs_tag ecs_task_definition efs_access_point
    efs_backup_policy efs_file_system_policy efs_mount_target egress_only_internet_gateway eip_association
    eip_domain_name eks_access_entry eks_access_policy_association eks_addon eks_identity_provider_config
    eks_pod_identity_association elastic_beanstalk_application elastic_beanstalk_application_version
    elastic_beanstalk_configuration_template elasticache_global_replication_group elasticache_parameter_group
    elasticache_subnet_group elasticache_user elasticache_user_group* elasticsearch_domain_policy
    elasticsearch_domain_saml_options elasticsearch_vpc_endpoint elb_attachment
    emr_block_public_access_configuration emr_security_configuration emr_studio_session_mapping finspace_kx_database
    finspace_kx_dataview finspace_kx_environment finspace_kx_user fsx_ontap_storage_virtual_machine
    glacier_vault_lock globalaccelerator_cross_account_attachment globalaccelerator_custom_routing_endpoint_group
    globalaccelerator_custom_routing_listener globalaccelerator_listener glue_* grafana_workspace_* iam_*
    identitystore_* imagebuilder_component imagebuilder_container_recipe imagebuilder_distribution_configuration
    imagebuilder_image_recipe imagebuilder_infrastructure_configuration imagebuilder_lifecycle_policy
    imagebuilder_workflow inspector2_* inspector_* internet_gateway* iot_* kendra_* key_pair keyspaces_keyspace
    kinesis_resource_policy kinesisanalyticsv2_application_snapshot kms_alias kms_ciphertext kms_grant
    kms_key_policy lakeformation_* lambda_alias lambda_code_signing_config lambda_function_* lambda_layer_*
    lambda_permission lambda_runtime_management_config launch_configuration launch_template lb_* licensemanager_*
    lightsail_bucket_* lightsail_certificate lightsail_container_service_deployment_version
    lightsail_disk_attachment lightsail_domain* lightsail_instance_public_ports lightsail_key_pair lightsail_lb_*
    lightsail_static_ip* load_balancer_* m2_application macie2_* main_route_table_association medialive_*
    memorydb_acl memorydb_multi_region_cluster memorydb_parameter_group memorydb_subnet_group memorydb_user
    mq_configuration msk_cluster_policy msk_configuration msk_scram_secret_association
    msk_single_scram_secret_association mskconnect_custom_plugin mskconnect_worker_configuration
    neptune_cluster_endpoint neptune_cluster_parameter_group neptune_event_subscription neptune_global_cluster
    neptune_parameter_group neptune_subnet_group network_acl* network_interface* networkfirewall_firewall_policy
    networkfirewall_logging_configuration networkfirewall_resource_policy networkfirewall_rule_group
    networkfirewall_tls_inspection_configuration networkmanager_attachment_accepter networkmanager_connect_peer
    networkmanager_connection networkmanager_core_network_policy_attachment
    networkmanager_customer_gateway_association networkmanager_device networkmanager_global_network
    networkmanager_link networkmanager_link_association networkmanager_site
    networkmanager_transit_gateway_connect_peer_association networkmanager_transit_gateway_peering
    networkmanager_transit_gateway_registration notificationscontacts_* oam_*
    opensearch_authorize_vpc_endpoint_access opensearch_domain_policy opensearch_domain_saml_options
    opensearch_inbound_connection_accepter opensearch_outbound_connection opensearch_package*
    opensearch_vpc_endpoint opensearchserverless_access_policy opensearchserverless_lifecycle_policy
    opensearchserverless_security_policy opsworks_* organizations_* paymentcryptography_key_alias pinpoint_*
    pinpointsmsvoicev2_* placement_group prometheus_* proxy_protocol_policy ram_* rbin_rule rds_certificate
    rds_cluster_endpoint rds_cluster_parameter_group rds_cluster_role_association rds_custom_db_engine_version
    rds_global_cluster rds_instance_state redshift_* redshiftserverless_* resourceexplorer2_* resourcegroups_*
    rolesanywhere_* route route53_* route53domains_delegation_signer_record route53profiles_association
    route53profiles_resource_association route53recoverycontrolconfig_control_panel
    route53recoverycontrolconfig_routing_control route53recoverycontrolconfig_safety_rule route53recoveryreadiness_*
    route_table* s3_access_point s3_account_public_access_block s3_bucket_* s3control_* s3outposts_endpoint
    s3tables_namespace s3tables_table_* s3tables_table_bucket_policy secretsmanager_secret_policy
    secretsmanager_secret_version security_group* service_discovery_http_namespace service_discovery_instance
    service_discovery_service servicecatalog_* servicecatalogappregistry_* servicequotas_* sfn_activity sfn_alias
    shield_* signer_* snapshot_create_volume_permission spot_datafeed_subscription sqs_queue_* ssm_* ssmincidents_*
    ssmquicksetup_* ssoadmin_* subnet synthetics_group synthetics_group_association transcribe_* transfer_*
    verifiedaccess_* verifiedpermissions_* volume_attachment vpc vpc_block_public_access_* vpc_dhcp_options*
    vpc_endpoint_connection_accepter vpc_endpoint_connection_notification vpc_endpoint_policy
    vpc_endpoint_private_dns vpc_endpoint_route_table_association vpc_endpoint_security_group_association
    vpc_endpoint_service* vpc_ipam_* vpc_ipv4_cidr_block_association vpc_ipv6_cidr_block_association
    vpc_peering_connection_* vpc_route_server vpc_route_server_peer vpc_route_server_propagation
    vpc_route_server_vpc_association vpc_security_group_* vpclattice_* vpn_connection_route vpn_gateway* waf_*
    wafregional_* wafv2_* worklink_* workspaces_* xray_*
"""


@cache
def _load_billing() -> dict[str, bool]:
    """Return the listed names without `aws_`: True for a type billed by usage, False for a free type."""
    return dict.fromkeys(_FREE.split(), False) | dict.fromkeys(_BILLED_BY_USAGE.split(), True)


@cache
def _find_billing(kind: str) -> bool | None:
    """Return True for a type billed by usage, False for a free type, and None for a type in no list.

    The longest matching name counts.
    """
    if kind in FREE_TYPES:
        return False
    billing, name = _load_billing(), kind.removeprefix("aws_")
    if name in billing:
        return billing[name]
    for end in range(len(name), 0, -1):
        if (pattern := f"{name[:end]}*") in billing:
            return billing[pattern]
    return None


def is_billed_by_usage(kind: str) -> bool:
    """Return True for a type billed by usage only, which a plan does not contain."""
    return _find_billing(kind) is True


@cache
def find_uncovered(kind: str) -> UnknownItem | None:
    """Return the reason why a type without a reader or a fixed price has no estimate; None if it needs none."""
    if kind in UNCOVERED_TYPES:
        return UNCOVERED_TYPES[kind]
    if not kind.startswith("aws_") or kind in load_by_type() or _find_billing(kind) is not None:
        return None
    reason = (
        "the model does not cover this SageMaker type; it may run instances"
        if kind.startswith("aws_sagemaker_")
        else UNLISTED
    )
    return UnknownItem(kind, reason, UnknownKind.UNCOUNTED)
