"""What the model does not estimate: types that use something and why nobody knows how much, and types that use nothing.

A type of SageMaker that is in no list is unknown as well: a plan may come from a newer provider.
"""

_OTHER = "this type is not estimated: the model covers SageMaker, S3 and Feature Store"
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
    "aws_autoscaling_group": _OTHER,
    "aws_batch_compute_environment": _OTHER,
    "aws_codebuild_project": _OTHER,
    "aws_db_instance": _OTHER,
    "aws_dynamodb_table": _OTHER,
    "aws_ebs_volume": _OTHER,
    "aws_ecs_service": _OTHER,
    "aws_efs_file_system": _OTHER,
    "aws_eks_node_group": _OTHER,
    "aws_elasticache_cluster": _OTHER,
    "aws_emr_cluster": _OTHER,
    "aws_emrserverless_application": _OTHER,
    "aws_fsx_lustre_file_system": _OTHER,
    "aws_glue_job": _OTHER,
    "aws_instance": _OTHER,
    "aws_kinesis_firehose_delivery_stream": _OTHER,
    "aws_kinesis_stream": _OTHER,
    "aws_lambda_function": _OTHER,
    "aws_msk_cluster": _OTHER,
    "aws_mwaa_environment": _OTHER,
    "aws_nat_gateway": _OTHER,
    "aws_opensearch_domain": _OTHER,
    "aws_opensearchserverless_collection": _OTHER,
    "aws_rds_cluster_instance": _OTHER,
    "aws_redshift_cluster": _OTHER,
    "aws_redshiftserverless_workgroup": _OTHER,
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
