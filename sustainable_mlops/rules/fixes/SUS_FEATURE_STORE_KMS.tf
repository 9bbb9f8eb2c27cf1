resource "aws_sagemaker_feature_group" "this" {
  # …

  online_store_config {
    enable_online_store = true

    ttl_duration {
      unit  = "Days"
      value = 7
    }

    security_config {
      kms_key_id = aws_kms_key.this.arn
    }
  }
}
