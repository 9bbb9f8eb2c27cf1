# Resources of philschmid/terraform-aws-sagemaker-huggingface 0.9.0 with its defaults. There is no default instance type:
# this is the type on its page and in all its examples with instances.
resource "aws_sagemaker_model" "this" {
  name               = "compared-hf"
  execution_role_arn = "arn:aws:iam::123456789012:role/inference"

  primary_container {
    image = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/model:1"
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name = "compared-hf"

  production_variants {
    variant_name           = "AllTraffic"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.g4dn.xlarge"
    initial_instance_count = 1
  }
}

# There is no scaling: autoscaling.max_capacity is null by default.
resource "aws_sagemaker_endpoint" "this" {
  name                 = "compared-hf"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
}
