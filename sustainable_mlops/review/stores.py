"""Resource types that hold what cannot be had again, and what becomes of it when they are destroyed."""

from typing import NamedTuple

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
}
