resource "aws_sagemaker_endpoint" "this" {
  name                 = "delay"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name

  tags = {
    "sust_waiver:SUS_OFF_HOURS" = "Callers in all time zones until 2027-06-30"
  }
}
