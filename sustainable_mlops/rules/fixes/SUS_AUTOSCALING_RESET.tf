resource "aws_sagemaker_endpoint_configuration" "this" {
  # …

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1 # min_capacity of the target
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/main"
  min_capacity       = 1
  max_capacity       = 4
}
