"""Resource types that hold data which cannot be created again, and the effect of a destroy."""

from typing import NamedTuple

from sustainable_mlops.review.risk import Level
from sustainable_mlops.review.stateless_types import is_stateless

STOP, LOOK = Level.STOP, Level.LOOK


class DataStore(NamedTuple):
    """The content of a resource type, and a note if a destroy does not simply delete it."""

    content: str
    note: str = ""
    level: Level = STOP


_SNAPSHOT = "a final snapshot is taken unless skip_final_snapshot is true"
_BUCKET = "S3 refuses to delete a bucket with objects unless force_destroy is true"
_OLD_VERSION = "a versioned bucket keeps the old version"

STORES = {
    "aws_s3_bucket": DataStore("its objects", _BUCKET),
    "aws_s3_directory_bucket": DataStore("its objects", _BUCKET),
    "aws_s3_object": DataStore("the object", _OLD_VERSION, LOOK),
    "aws_s3_bucket_object": DataStore("the object", _OLD_VERSION, LOOK),
    "aws_s3tables_table_bucket": DataStore("its tables"),
    "aws_s3tables_table": DataStore("the table"),
    "aws_kms_key": DataStore(
        "all data encrypted with it", "unreadable immediately, lost when the deletion window ends"
    ),
    "aws_kms_external_key": DataStore("all data encrypted with it", "unreadable immediately"),
    "aws_kms_replica_key": DataStore("all data encrypted with it in this Region", "unreadable immediately"),
    "aws_sagemaker_feature_group": DataStore(
        "the online store and the group's record", "files of the offline store stay in S3 without a group"
    ),
    "aws_sagemaker_model_package_group": DataStore("the registered models and their approvals"),
    "aws_sagemaker_model_package": DataStore("the registered model and its approval"),
    "aws_sagemaker_domain": DataStore("the home folders of its users", "EFS keeps them if retention_policy is Retain"),
    "aws_sagemaker_space": DataStore("the files in it"),
    "aws_sagemaker_user_profile": DataStore("the user's apps and settings", level=LOOK),
    "aws_sagemaker_notebook_instance": DataStore("the files on its volume"),
    "aws_sagemaker_mlflow_tracking_server": DataStore("its recorded runs", "artifacts stay in S3"),
    "aws_sagemaker_hub": DataStore("its published content"),
    "aws_efs_file_system": DataStore("its files"),
    "aws_fsx_lustre_file_system": DataStore("its files"),
    "aws_fsx_ontap_file_system": DataStore("its files"),
    "aws_fsx_ontap_volume": DataStore("its files"),
    "aws_fsx_openzfs_file_system": DataStore("its files"),
    "aws_fsx_openzfs_volume": DataStore("its files"),
    "aws_fsx_windows_file_system": DataStore("its files"),
    "aws_ebs_volume": DataStore("its blocks"),
    "aws_ebs_snapshot": DataStore("the snapshot"),
    "aws_ami": DataStore("the image"),
    "aws_db_instance": DataStore("its databases", _SNAPSHOT),
    "aws_db_snapshot": DataStore("the snapshot"),
    "aws_rds_cluster": DataStore("its databases", _SNAPSHOT),
    "aws_rds_global_cluster": DataStore("the replication of its databases"),
    "aws_docdb_cluster": DataStore("its databases", _SNAPSHOT),
    "aws_neptune_cluster": DataStore("its graphs", _SNAPSHOT),
    "aws_redshift_cluster": DataStore("its databases", _SNAPSHOT),
    "aws_redshiftserverless_namespace": DataStore("its databases"),
    "aws_dynamodb_table": DataStore("its items"),
    "aws_keyspaces_table": DataStore("its rows"),
    "aws_timestreamwrite_database": DataStore("its tables"),
    "aws_timestreamwrite_table": DataStore("its records"),
    "aws_elasticache_cluster": DataStore("its cache", level=LOOK),
    "aws_elasticache_replication_group": DataStore("its cached or stored data"),
    "aws_memorydb_cluster": DataStore("its data"),
    "aws_opensearch_domain": DataStore("its indices"),
    "aws_elasticsearch_domain": DataStore("its indices"),
    "aws_opensearchserverless_collection": DataStore("its indices"),
    "aws_ecr_repository": DataStore(
        "its images", "ECR refuses to delete a repository with images unless force_delete is true"
    ),
    "aws_glue_catalog_database": DataStore("the definitions of its tables", "files stay in S3"),
    "aws_glue_catalog_table": DataStore("the definition of the table", "files stay in S3"),
    "aws_athena_workgroup": DataStore("its query history", level=LOOK),
    "aws_backup_vault": DataStore("its recovery points"),
    "aws_secretsmanager_secret": DataStore("the secret", "recoverable until the recovery window ends"),
    "aws_ssm_parameter": DataStore("the parameter's value and history", level=LOOK),
    "aws_kinesis_stream": DataStore("unread records"),
    "aws_sqs_queue": DataStore("unread messages"),
    "aws_msk_cluster": DataStore("its topics"),
    "aws_cognito_user_pool": DataStore("its users"),
    "aws_cloudwatch_log_group": DataStore("its logs", level=LOOK),
    "aws_codecommit_repository": DataStore("its history"),
    "aws_eks_cluster": DataStore("the cluster's state"),
    "aws_mwaa_environment": DataStore("its history of runs", level=LOOK),
    "aws_bedrockagent_knowledge_base": DataStore("its index"),
    "aws_bedrock_custom_model": DataStore("the model"),
    "aws_instance": DataStore("the data on its volumes", "a volume stays if delete_on_termination is false", LOOK),
    "aws_spot_instance_request": DataStore("the data on the volumes of the instance", level=LOOK),
    "aws_cloudformation_stack": DataStore("all resources of the stack", "resources with DeletionPolicy Retain stay"),
    "aws_sagemaker_pipeline": DataStore("the history of its runs", level=LOOK),
    "aws_sagemaker_image": DataStore("its versions", "the container images stay in ECR", LOOK),
    "aws_sagemaker_image_version": DataStore("the version", "the container image stays in ECR", LOOK),
    "aws_db_cluster_snapshot": DataStore("the snapshot"),
    "aws_docdb_cluster_snapshot": DataStore("the snapshot"),
    "aws_neptune_cluster_snapshot": DataStore("the snapshot"),
    "aws_redshift_cluster_snapshot": DataStore("the snapshot"),
    "aws_memorydb_snapshot": DataStore("the snapshot"),
    "aws_fsx_backup": DataStore("the backup"),
    "aws_backup_logically_air_gapped_vault": DataStore("its recovery points"),
    "aws_s3vectors_vector_bucket": DataStore("its vectors"),
    "aws_s3vectors_index": DataStore("its vectors"),
    "aws_cloudtrail_event_data_store": DataStore("its events"),
    "aws_codeartifact_domain": DataStore("its packages"),
    "aws_codeartifact_repository": DataStore("its packages"),
    "aws_ecrpublic_repository": DataStore("its images"),
    "aws_dynamodb_table_replica": DataStore("the copy in this Region", level=LOOK),
    "aws_cloudfront_key_value_store": DataStore("its keys and values", level=LOOK),
    "aws_cloudwatch_event_archive": DataStore("its events", level=LOOK),
    "aws_cloudwatch_log_stream": DataStore("its logs", level=LOOK),
    "aws_cognito_user": DataStore("the user", level=LOOK),
    "aws_identitystore_user": DataStore("the user", level=LOOK),
    "aws_dynamodb_table_item": DataStore("the item", level=LOOK),
    "aws_glue_registry": DataStore("its schemas", level=LOOK),
    "aws_organizations_account": DataStore("the account", "it is closed only if close_on_deletion is true", LOOK),
    "aws_route53_zone": DataStore("its records and its public name servers", level=LOOK),
    "aws_s3_object_copy": DataStore("the object", _OLD_VERSION, LOOK),
    "aws_secretsmanager_secret_version": DataStore("this value of the secret", level=LOOK),
}

_UNKNOWN_STORE = DataStore("any data in it", "the reviewer does not know this type", LOOK)


def find_data_store(type_: str) -> DataStore | None:
    """Return the data store of a type, or None if the configuration contains all of it.

    Types of the provider awscc have the names of CloudFormation, which mostly match those of the provider aws.
    """
    known = STORES.get(type_) or STORES.get(f"aws_{type_.removeprefix('awscc_')}")
    return known or (None if is_stateless(type_) else _UNKNOWN_STORE)
