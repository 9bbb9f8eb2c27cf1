resource "aws_sagemaker_model" "this" {
  execution_role_arn = aws_iam_role.this.arn

  primary_container {
    image          = "763104351884.dkr.ecr.eu-north-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"
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
