resource "aws_sagemaker_feature_group" "this" {
  # …

  offline_store_config {
    table_format = "Iceberg"

    data_catalog_config {
      catalog    = "AwsDataCatalog"
      database   = "sagemaker_featurestore"
      table_name = "flights"
    }

    s3_storage_config {
      s3_uri     = "s3://${aws_s3_bucket.this.bucket}/features/"
      kms_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_glue_catalog_table_optimizer" "compaction" {
  catalog_id    = "123456789012"
  database_name = aws_sagemaker_feature_group.this.offline_store_config[0].data_catalog_config[0].database
  table_name    = aws_sagemaker_feature_group.this.offline_store_config[0].data_catalog_config[0].table_name
  type          = "compaction"

  configuration {
    role_arn = aws_iam_role.this.arn
    enabled  = true
  }
}
