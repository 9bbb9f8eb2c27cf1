resource "aws_sagemaker_endpoint" "this" {
  # …

  tags = {
    recommendation_job = "arn:aws:sagemaker:eu-north-1:123456789012:inference-recommendations-job/delay"
  }
}
