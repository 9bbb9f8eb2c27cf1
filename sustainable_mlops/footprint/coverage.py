"""Resource types that the model does not estimate: types with unknown usage, and types without a footprint.

A SageMaker type that is in no list is unknown as well: a plan may come from a newer provider.
"""

from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind

_AI_SERVICE = "AWS does not publish the hardware of this service"
_BEDROCK = "AWS does not publish the hardware of Bedrock"
_SERVERLESS = "AWS does not publish the machines of this service"
_SERVERS = "the catalogue has no servers and prices of this service"
_UNKNOWN_MACHINES = "the machines that it starts are not in the plan"

#: Types that run machines or cost money without usage, by the reason why the model does not cover them.
_MACHINES = {
    _AI_SERVICE: """
        bedrockagentcore_agent_runtime bedrockagentcore_browser bedrockagentcore_code_interpreter
        bedrockagentcore_harness comprehend_document_classifier comprehend_entity_recognizer kendra_index
        rekognition_stream_processor transcribe_language_model
    """,
    _BEDROCK: """
        bedrock_custom_model bedrock_evaluation_job bedrock_model_invocation_job
        bedrock_provisioned_model_throughput
    """,
    _SERVERLESS: """
        apprunner_service athena_capacity_reservation codebuild_fleet codebuild_project codecatalyst_dev_environment
        datapipeline_pipeline dms_replication_config ecs_daemon ecs_express_gateway_service ecs_service ecs_task_set
        eks_cluster eks_fargate_profile elasticache_serverless_cache emrserverless_application glue_crawler
        glue_dev_endpoint glue_job glue_ml_transform kinesis_analytics_application kinesisanalyticsv2_application
        lambda_capacity_provider lambda_function lambda_provisioned_concurrency_config lambdamicrovms_microvm
        lightsail_container_service m2_environment medialive_channel medialive_multiplex msk_replicator
        msk_serverless_cluster mskconnect_connector mwaa_environment neptunegraph_graph opensearchserverless_collection
        osis_pipeline prometheus_scraper rds_shard_group redshiftserverless_workgroup synthetics_canary transfer_server
        transfer_web_app
    """,
    _SERVERS: """
        alb appstream_fleet appstream_image_builder appsync_api_cache cloud9_environment_ec2 cloudhsm_v2_hsm
        cloudsearch_domain dax_cluster db_instance db_proxy directory_service_directory directory_service_region
        dms_replication_instance
        docdb_cluster_instance docdbelastic_cluster ebs_fast_snapshot_restore elasticache_cluster
        elasticache_replication_group elasticsearch_domain elb finspace_kx_cluster finspace_kx_scaling_group
        finspace_kx_volume fsx_file_cache fsx_lustre_file_system fsx_ontap_file_system fsx_openzfs_file_system
        fsx_windows_file_system imagebuilder_image imagebuilder_image_pipeline kinesis_stream lb lightsail_database
        lightsail_instance lightsail_lb memorydb_cluster mq_broker msk_cluster nat_gateway neptune_cluster_instance
        networkfirewall_firewall odb_autonomous_database odb_cloud_autonomous_vm_cluster
        odb_cloud_exadata_infrastructure odb_cloud_vm_cluster opensearch_domain rds_cluster
        rds_cluster_instance redshift_cluster route53recoverycontrolconfig_cluster timestreaminfluxdb_db_cluster
        timestreaminfluxdb_db_instance
        workspaces_pool workspaces_workspace
    """,
    _UNKNOWN_MACHINES: """
        datazone_environment elastic_beanstalk_environment gamelift_fleet gamelift_game_server_group sagemaker_project
        serverlessapplicationrepository_cloudformation_stack servicecatalog_provisioned_product
    """,
    "it is a payment commitment; its offering names the price": """
        elasticache_reserved_cache_node rds_reserved_instance savingsplans_savings_plan
    """,
    "AWS does not publish the machine of MLflow": "sagemaker_mlflow_app sagemaker_mlflow_tracking_server",
    "automated labeling trains on machines that AWS chooses": "sagemaker_labeling_job",
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
_UNKNOWN_SIZE = "a plan does not contain its size, and the usage file has no key for it"

#: Types with a footprint that no reader estimates, with the reason.
UNCOVERED_TYPES: dict[str, UnknownItem] = {
    f"aws_{name}": UnknownItem(f"aws_{name}", reason, lack)
    for lack, groups in ((UnknownKind.UNCOUNTED, _MACHINES), (UnknownKind.USAGE, {_UNKNOWN_SIZE: _STORES}))
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


def find_uncovered(kind: str) -> UnknownItem | None:
    """Return the reason why a type without a reader has no estimate; None if it needs none."""
    if kind.startswith("aws_sagemaker_") and kind not in FREE_TYPES and kind not in UNCOVERED_TYPES:
        reason = "the model does not cover this SageMaker type; it may run machines"
        return UnknownItem(kind, reason, UnknownKind.UNCOUNTED)
    return UNCOVERED_TYPES.get(kind)
