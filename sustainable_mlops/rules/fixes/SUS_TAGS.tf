resource "aws_sagemaker_endpoint" "this" {
  # …

  # or once, as default_tags of the provider
  tags = {
    workload    = "flight_delay"
    environment = "prod"
    owner       = "ml-platform"
  }
}
