resource "aws_sagemaker_model" "this" {
  # checkov:skip=CKV_AWS_370:a serverless endpoint refuses a model with network isolation
  enable_network_isolation = false
  execution_role_arn       = aws_iam_role.this.arn

  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay:2026-11-01"
    model_data_url = "s3://${aws_s3_bucket.this.bucket}/models/delay/model.tar.gz"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "delay-"

  production_variants {
    variant_name = "main"
    model_name   = aws_sagemaker_model.this.name

    serverless_config {
      memory_size_in_mb = 2048
      max_concurrency   = 5
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}
