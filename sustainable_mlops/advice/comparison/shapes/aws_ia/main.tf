# Resources of aws-ia/terraform-aws-sagemaker-endpoint 0.0.1 with all defaults.
resource "aws_sagemaker_model" "this" {
  name               = "compared-aws-ia"
  execution_role_arn = "arn:aws:iam::123456789012:role/inference"

  primary_container {
    image = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/model:1"
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name = "compared-aws-ia"

  production_variants {
    variant_name                           = "AllTraffic"
    model_name                             = aws_sagemaker_model.this.name
    instance_type                          = "ml.t2.medium"
    initial_instance_count                 = 1
    initial_variant_weight                 = 1
    volume_size_in_gb                      = 30
    model_data_download_timeout_in_seconds = 900
  }
}

# There is no scaling: autoscaling_config is null by default.
resource "aws_sagemaker_endpoint" "this" {
  name                 = "compared-aws-ia"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
}
