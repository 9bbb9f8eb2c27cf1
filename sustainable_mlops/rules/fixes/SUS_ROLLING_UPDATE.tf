resource "aws_sagemaker_endpoint_configuration" "this" {
  # …

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 8
  }
}

resource "aws_sagemaker_endpoint" "this" {
  # …

  deployment_config {
    rolling_update_policy {
      wait_interval_in_seconds = 300

      maximum_batch_size {
        type  = "CAPACITY_PERCENT"
        value = 50
      }
    }
  }
}
