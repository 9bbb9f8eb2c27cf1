resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "delay-"

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 8
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = "delay"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name

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
