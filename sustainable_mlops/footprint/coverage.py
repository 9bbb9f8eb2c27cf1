"""What the model does not estimate: types that use something and why nobody knows how much, and types that use nothing.

A type of SageMaker that is in no list is unknown as well: a plan may come from a newer provider.
"""

_OTHER = "this type is not estimated: the model covers SageMaker, Feature Store and general purpose buckets"
_OTHERS = """
    alb ami apprunner_service appstream_fleet athena_capacity_reservation autoscaling_group batch_compute_environment
    codebuild_fleet codebuild_project db_instance db_snapshot dax_cluster docdb_cluster_instance docdbelastic_cluster
    dms_replication_instance dsql_cluster dynamodb_table ebs_snapshot ebs_volume ec2_capacity_block_reservation
    ec2_capacity_reservation ec2_fleet ec2_host ecr_repository ecrpublic_repository ecs_service
    efs_file_system eks_cluster eks_fargate_profile eks_node_group elastic_beanstalk_environment elasticache_cluster
    elasticache_replication_group elasticache_serverless_cache elasticsearch_domain elb emr_cluster
    emrserverless_application fsx_file_cache fsx_lustre_file_system fsx_ontap_file_system fsx_openzfs_file_system
    fsx_windows_file_system gamelift_fleet glacier_vault glue_dev_endpoint glue_job grafana_workspace instance
    keyspaces_table kinesis_analytics_application kinesis_firehose_delivery_stream kinesis_stream
    kinesisanalyticsv2_application lambda_function lb lightsail_container_service lightsail_instance memorydb_cluster
    mq_broker msk_cluster msk_serverless_cluster mwaa_environment nat_gateway neptune_cluster_instance
    networkfirewall_firewall opensearch_domain opensearchserverless_collection prometheus_workspace rds_cluster
    rds_cluster_instance redshift_cluster redshiftserverless_workgroup s3_directory_bucket s3tables_table_bucket
    s3vectors_vector_bucket spot_fleet_request spot_instance_request timestreaminfluxdb_db_instance
    timestreamwrite_table transfer_server workspaces_workspace
"""
_BEDROCK = "AWS does not say what hardware Bedrock runs on"
_AI_SERVICE = "AWS does not say what hardware this service runs on"

#: Types that run machines which the model does not cover, and why.
UNCOVERED: dict[str, str] = {
    "aws_sagemaker_cluster": "the instance groups of HyperPod clusters are not read",
    "aws_sagemaker_device": "what a device at the edge uses is known to its owner alone",
    "aws_sagemaker_labeling_job": "automated labelling trains on machines that AWS chooses",
    "aws_sagemaker_mlflow_app": "AWS does not say what machine an MLflow app runs on",
    "aws_sagemaker_mlflow_tracking_server": "AWS does not say what machine a tracking server runs on",
    "aws_sagemaker_project": "what its Service Catalog product starts is not in the plan",
    "aws_bedrock_custom_model": _BEDROCK,
    "aws_bedrock_evaluation_job": _BEDROCK,
    "aws_bedrock_model_invocation_job": _BEDROCK,
    "aws_bedrock_provisioned_model_throughput": _BEDROCK,
    "aws_comprehend_document_classifier": _AI_SERVICE,
    "aws_comprehend_entity_recognizer": _AI_SERVICE,
    "aws_kendra_index": _AI_SERVICE,
    "aws_rekognition_stream_processor": _AI_SERVICE,
    **dict.fromkeys((f"aws_{name}" for name in _OTHERS.split()), _OTHER),
}
#: Types of SageMaker that use nothing themselves: descriptions, settings, permissions and people.
FREE: frozenset[str] = frozenset(
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


def why_uncovered(kind: str) -> str | None:
    """Why nobody knows what a resource of type `kind`, which nothing reads, uses; None where it is not counted."""
    if kind in UNCOVERED:
        return UNCOVERED[kind]
    if kind.startswith("aws_sagemaker_") and kind not in FREE:
        return "the model does not know this type of SageMaker; it may run machines"
    return None
