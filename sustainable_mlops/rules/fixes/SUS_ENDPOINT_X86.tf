resource "aws_sagemaker_endpoint_configuration" "this" {
  # …

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }
}
