resource "aws_sagemaker_endpoint" "this" {
  name                 = "delay"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name

  # or once, as default_tags of the provider
  tags = {
    workload    = "flight_delay"
    environment = "prod"
    owner       = "ml-platform"
  }
}
