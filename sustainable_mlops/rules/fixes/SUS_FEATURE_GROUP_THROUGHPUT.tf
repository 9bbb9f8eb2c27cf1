resource "aws_sagemaker_feature_group" "this" {
  feature_group_name             = "flights"
  record_identifier_feature_name = "flight_id"
  event_time_feature_name        = "observed_at"
  role_arn                       = aws_iam_role.this.arn

  feature_definition {
    feature_name = "flight_id"
    feature_type = "String"
  }

  feature_definition {
    feature_name = "observed_at"
    feature_type = "String"
  }

  online_store_config {
    enable_online_store = true

    ttl_duration {
      unit  = "Days"
      value = 7
    }
  }

  offline_store_config {
    table_format = "Iceberg"

    s3_storage_config {
      s3_uri     = "s3://${aws_s3_bucket.this.bucket}/features/"
      kms_key_id = aws_kms_key.this.arn
    }
  }

  throughput_config {
    throughput_mode = "OnDemand"
  }
}
