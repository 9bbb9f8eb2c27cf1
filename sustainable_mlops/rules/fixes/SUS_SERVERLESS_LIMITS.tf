resource "aws_sagemaker_endpoint_configuration" "serverless" {
  # …

  production_variants {
    variant_name = "main"
    model_name   = aws_sagemaker_model.this.name

    serverless_config {
      memory_size_in_mb = 2048
      max_concurrency   = 5
    }
  }
}
