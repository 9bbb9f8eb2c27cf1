resource "aws_sagemaker_feature_group" "this" {
  # …

  offline_store_config {
    table_format = "Iceberg"

    s3_storage_config {
      s3_uri     = "s3://${aws_s3_bucket.this.bucket}/features/"
      kms_key_id = aws_kms_key.this.arn
    }
  }

  # A change of these attributes would replace the group and delete its records.
  lifecycle {
    ignore_changes = [feature_definition, offline_store_config]
  }
}
