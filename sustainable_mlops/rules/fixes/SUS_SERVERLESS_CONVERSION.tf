# Under another name: move the callers, then delete the real-time endpoint.
resource "aws_sagemaker_endpoint" "serverless" {
  name                 = "delay-serverless"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.serverless.name
}

resource "aws_sagemaker_endpoint_configuration" "serverless" {
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
