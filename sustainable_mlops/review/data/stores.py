"""Resource types that hold what cannot be had again, and what becomes of it when they are destroyed."""

from typing import NamedTuple

from sustainable_mlops.review.data.stateless_types import is_stateless
from sustainable_mlops.review.risk import Level

STOP, LOOK = Level.STOP, Level.LOOK


class DataStore(NamedTuple):
    """What a type holds and, where Terraform or AWS do not simply delete it, what happens to it."""

    content: str
    note: str = ""
    level: Level = STOP


_SNAPSHOT = "whether a final snapshot is taken: skip_final_snapshot"

STORES = {
    "aws_s3_bucket": DataStore("its objects", "S3 refuses while it holds objects, unless force_destroy is set"),
    "aws_s3_directory_bucket": DataStore(
        "its objects", "S3 refuses while it holds objects, unless force_destroy is set"
    ),
    "aws_s3_object": DataStore("the object", "a versioned bucket keeps the old version", LOOK),
    "aws_s3_bucket_object": DataStore("the object", "a versioned bucket keeps the old version", LOOK),
    "aws_s3tables_table_bucket": DataStore("its tables"),
    "aws_s3tables_table": DataStore("the table"),
    "aws_kms_key": DataStore("everything encrypted under it", "unreadable at once, lost when the deletion window ends"),
    "aws_kms_external_key": DataStore("everything encrypted under it", "unreadable at once"),
    "aws_kms_replica_key": DataStore("everything encrypted under it in this Region", "unreadable at once"),
    "aws_sagemaker_feature_group": DataStore(
        "the online store and the group's record", "files of the offline store stay in S3, in no group"
    ),
    "aws_sagemaker_model_package_group": DataStore("the registered models and their approvals"),
    "aws_sagemaker_model_package": DataStore("the registered model and its approval"),
    "aws_sagemaker_domain": DataStore("the home folders of its users", "retention_policy says whether EFS keeps them"),
    "aws_sagemaker_space": DataStore("the files in it"),
    "aws_sagemaker_user_profile": DataStore("the user's apps and settings", level=LOOK),
    "aws_sagemaker_notebook_instance": DataStore("the files on its volume"),
    "aws_sagemaker_mlflow_tracking_server": DataStore("the runs recorded in it", "artifacts stay in S3"),
    "aws_sagemaker_hub": DataStore("what is published in it"),
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
    "aws_elasticache_cluster": DataStore("what it caches", level=LOOK),
    "aws_elasticache_replication_group": DataStore("what it caches or keeps"),
    "aws_memorydb_cluster": DataStore("its data"),
    "aws_opensearch_domain": DataStore("its indices"),
    "aws_elasticsearch_domain": DataStore("its indices"),
    "aws_opensearchserverless_collection": DataStore("its indices"),
    "aws_ecr_repository": DataStore("its images", "ECR refuses while it holds images, unless force_delete is set"),
    "aws_glue_catalog_database": DataStore("the definitions of its tables", "files stay in S3"),
    "aws_glue_catalog_table": DataStore("the definition of the table", "files stay in S3"),
    "aws_athena_workgroup": DataStore("its query history", level=LOOK),
    "aws_backup_vault": DataStore("its recovery points"),
    "aws_secretsmanager_secret": DataStore("the secret", "recoverable until the recovery window ends"),
    "aws_ssm_parameter": DataStore("the parameter's value and history", level=LOOK),
    "aws_kinesis_stream": DataStore("records not read yet"),
    "aws_sqs_queue": DataStore("messages not read yet"),
    "aws_msk_cluster": DataStore("its topics"),
    "aws_cognito_user_pool": DataStore("its users"),
    "aws_cloudwatch_log_group": DataStore("its logs", level=LOOK),
    "aws_codecommit_repository": DataStore("its history"),
    "aws_eks_cluster": DataStore("the cluster's state"),
    "aws_mwaa_environment": DataStore("its history of runs", level=LOOK),
    "aws_bedrockagent_knowledge_base": DataStore("its index"),
    "aws_bedrock_custom_model": DataStore("the model"),
    "aws_instance": DataStore("what is on its volumes", "a volume stays where delete_on_termination is off", LOOK),
    "aws_spot_instance_request": DataStore("what is on the instance's volumes", level=LOOK),
    "aws_cloudformation_stack": DataStore("all resources of the stack", "those stay whose DeletionPolicy is Retain"),
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
    "aws_cloudtrail": DataStore(
        "nothing of its own: what is done in the account is no longer recorded by it", level=LOOK
    ),
    "aws_cloudtrail_event_data_store": DataStore("its events"),
    "aws_codeartifact_domain": DataStore("its packages"),
    "aws_codeartifact_repository": DataStore("its packages"),
    "aws_ecrpublic_repository": DataStore("its images"),
    "aws_dynamodb_table_replica": DataStore("the copy in this Region", level=LOOK),
    "aws_cloudfront_key_value_store": DataStore("its keys and values", level=LOOK),
    "aws_cloudwatch_log_stream": DataStore("its logs", level=LOOK),
    "aws_cognito_user": DataStore("the user", level=LOOK),
    "aws_identitystore_user": DataStore("the user", level=LOOK),
    "aws_dynamodb_table_item": DataStore("the item", level=LOOK),
    "aws_glue_registry": DataStore("its schemas", level=LOOK),
    "aws_organizations_account": DataStore("the account", "it is closed only where close_on_deletion is set", LOOK),
    "aws_route53_zone": DataStore("its records and the name servers that others know", level=LOOK),
    "aws_s3_object_copy": DataStore("the object", "a versioned bucket keeps the old version", LOOK),
    "aws_secretsmanager_secret_version": DataStore("this value of the secret", level=LOOK),
}

_UNKNOWN_STORE = DataStore("what it may hold", "the reviewer does not know this type", LOOK)


def find_data_store(type_: str) -> DataStore | None:
    """What a type holds; None where all of it stands in the code.

    The types of the provider awscc are named as CloudFormation does, most like those of the provider aws.
    """
    known = STORES.get(type_) or STORES.get(f"aws_{type_.removeprefix('awscc_')}")
    return known or (None if is_stateless(type_) else _UNKNOWN_STORE)
