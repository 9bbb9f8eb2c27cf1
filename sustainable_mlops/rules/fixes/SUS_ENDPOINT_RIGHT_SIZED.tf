resource "aws_sagemaker_endpoint" "this" {
  name                 = "delay"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name

  tags = {
    recommendation_job = "arn:aws:sagemaker:eu-north-1:123456789012:inference-recommendations-job/delay"
  }
}
