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

resource "aws_sagemaker_endpoint" "this" {
  name                 = "delay"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name

  tags = {
    latency_slo = "cold_start" # or minutes (asynchronous), 200ms (real-time), batch (a transform job)
  }
}
