"""Resource types that hold what cannot be had again, and what becomes of it when they are destroyed."""

from typing import NamedTuple

from sustainable_mlops.review.data.stateless_types import harmless
from sustainable_mlops.review.risk import Level

STOP, LOOK = Level.STOP, Level.LOOK


class Store(NamedTuple):
    """What a type holds and, where Terraform or AWS do not simply delete it, what happens to it."""

    holds: str
    note: str = ""
    level: Level = STOP


_SNAPSHOT = "whether a final snapshot is taken: skip_final_snapshot"

STORES = {
    "aws_s3_bucket": Store("its objects", "S3 refuses while it holds objects, unless force_destroy is set"),
    "aws_s3_directory_bucket": Store("its objects", "S3 refuses while it holds objects, unless force_destroy is set"),
    "aws_s3_object": Store("the object", "a versioned bucket keeps the old version", LOOK),
    "aws_s3_bucket_object": Store("the object", "a versioned bucket keeps the old version", LOOK),
    "aws_s3tables_table_bucket": Store("its tables"),
    "aws_s3tables_table": Store("the table"),
    "aws_kms_key": Store("everything encrypted under it", "unreadable at once, lost when the deletion window ends"),
    "aws_kms_external_key": Store("everything encrypted under it", "unreadable at once"),
    "aws_kms_replica_key": Store("everything encrypted under it in this Region", "unreadable at once"),
    "aws_sagemaker_feature_group": Store(
        "the online store and the group's record", "files of the offline store stay in S3, in no group"
    ),
    "aws_sagemaker_model_package_group": Store("the registered models and their approvals"),
    "aws_sagemaker_model_package": Store("the registered model and its approval"),
    "aws_sagemaker_domain": Store("the home folders of its users", "retention_policy says whether EFS keeps them"),
    "aws_sagemaker_space": Store("the files in it"),
    "aws_sagemaker_user_profile": Store("the user's apps and settings", level=LOOK),
    "aws_sagemaker_notebook_instance": Store("the files on its volume"),
    "aws_sagemaker_mlflow_tracking_server": Store("the runs recorded in it", "artifacts stay in S3"),
    "aws_sagemaker_hub": Store("what is published in it"),
    "aws_efs_file_system": Store("its files"),
    "aws_fsx_lustre_file_system": Store("its files"),
    "aws_fsx_ontap_file_system": Store("its files"),
    "aws_fsx_ontap_volume": Store("its files"),
    "aws_fsx_openzfs_file_system": Store("its files"),
    "aws_fsx_openzfs_volume": Store("its files"),
    "aws_fsx_windows_file_system": Store("its files"),
    "aws_ebs_volume": Store("its blocks"),
    "aws_ebs_snapshot": Store("the snapshot"),
    "aws_ami": Store("the image"),
    "aws_db_instance": Store("its databases", _SNAPSHOT),
    "aws_db_snapshot": Store("the snapshot"),
    "aws_rds_cluster": Store("its databases", _SNAPSHOT),
    "aws_rds_global_cluster": Store("the replication of its databases"),
    "aws_docdb_cluster": Store("its databases", _SNAPSHOT),
    "aws_neptune_cluster": Store("its graphs", _SNAPSHOT),
    "aws_redshift_cluster": Store("its databases", _SNAPSHOT),
    "aws_redshiftserverless_namespace": Store("its databases"),
    "aws_dynamodb_table": Store("its items"),
    "aws_keyspaces_table": Store("its rows"),
    "aws_timestreamwrite_database": Store("its tables"),
    "aws_timestreamwrite_table": Store("its records"),
    "aws_elasticache_cluster": Store("what it caches", level=LOOK),
    "aws_elasticache_replication_group": Store("what it caches or keeps"),
    "aws_memorydb_cluster": Store("its data"),
    "aws_opensearch_domain": Store("its indices"),
    "aws_elasticsearch_domain": Store("its indices"),
    "aws_opensearchserverless_collection": Store("its indices"),
    "aws_ecr_repository": Store("its images", "ECR refuses while it holds images, unless force_delete is set"),
    "aws_glue_catalog_database": Store("the definitions of its tables", "files stay in S3"),
    "aws_glue_catalog_table": Store("the definition of the table", "files stay in S3"),
    "aws_athena_workgroup": Store("its query history", level=LOOK),
    "aws_backup_vault": Store("its recovery points"),
    "aws_secretsmanager_secret": Store("the secret", "recoverable until the recovery window ends"),
    "aws_ssm_parameter": Store("the parameter's value and history", level=LOOK),
    "aws_kinesis_stream": Store("records not read yet"),
    "aws_sqs_queue": Store("messages not read yet"),
    "aws_msk_cluster": Store("its topics"),
    "aws_cognito_user_pool": Store("its users"),
    "aws_cloudwatch_log_group": Store("its logs", level=LOOK),
    "aws_codecommit_repository": Store("its history"),
    "aws_eks_cluster": Store("the cluster's state"),
    "aws_mwaa_environment": Store("its history of runs", level=LOOK),
    "aws_bedrockagent_knowledge_base": Store("its index"),
    "aws_bedrock_custom_model": Store("the model"),
    "aws_instance": Store("what is on its volumes", "a volume stays where delete_on_termination is off", LOOK),
    "aws_spot_instance_request": Store("what is on the instance's volumes", level=LOOK),
    "aws_cloudformation_stack": Store("all resources of the stack", "those stay whose DeletionPolicy is Retain"),
    "aws_sagemaker_pipeline": Store("the history of its runs", level=LOOK),
    "aws_sagemaker_image": Store("its versions", "the container images stay in ECR", LOOK),
    "aws_sagemaker_image_version": Store("the version", "the container image stays in ECR", LOOK),
    "aws_db_cluster_snapshot": Store("the snapshot"),
    "aws_docdb_cluster_snapshot": Store("the snapshot"),
    "aws_neptune_cluster_snapshot": Store("the snapshot"),
    "aws_redshift_cluster_snapshot": Store("the snapshot"),
    "aws_memorydb_snapshot": Store("the snapshot"),
    "aws_fsx_backup": Store("the backup"),
    "aws_backup_logically_air_gapped_vault": Store("its recovery points"),
    "aws_s3vectors_vector_bucket": Store("its vectors"),
    "aws_s3vectors_index": Store("its vectors"),
    "aws_cloudtrail": Store("nothing of its own: what is done in the account is no longer recorded by it", level=LOOK),
    "aws_cloudtrail_event_data_store": Store("its events"),
    "aws_codeartifact_domain": Store("its packages"),
    "aws_codeartifact_repository": Store("its packages"),
    "aws_ecrpublic_repository": Store("its images"),
    "aws_dynamodb_table_replica": Store("the copy in this Region", level=LOOK),
    "aws_cloudfront_key_value_store": Store("its keys and values", level=LOOK),
    "aws_cloudwatch_log_stream": Store("its logs", level=LOOK),
    "aws_cognito_user": Store("the user", level=LOOK),
    "aws_identitystore_user": Store("the user", level=LOOK),
    "aws_dynamodb_table_item": Store("the item", level=LOOK),
    "aws_glue_registry": Store("its schemas", level=LOOK),
    "aws_organizations_account": Store("the account", "it is closed only where close_on_deletion is set", LOOK),
    "aws_route53_zone": Store("its records and the name servers that others know", level=LOOK),
    "aws_s3_object_copy": Store("the object", "a versioned bucket keeps the old version", LOOK),
    "aws_secretsmanager_secret_version": Store("this value of the secret", level=LOOK),
}

_OTHER = Store("what it may hold", "the reviewer does not know this type", LOOK)


def store(type_: str) -> Store | None:
    """What a type holds; None where all of it stands in the code.

    The types of the provider awscc are named as CloudFormation does, most like those of the provider aws.
    """
    known = STORES.get(type_) or STORES.get(f"aws_{type_.removeprefix('awscc_')}")
    return known or (None if harmless(type_) else _OTHER)
