resource "aws_sagemaker_endpoint_configuration" "this" {
  # …

  async_inference_config {
    output_config {
      s3_output_path  = "s3://${aws_s3_bucket.this.bucket}/async/output/"
      s3_failure_path = "s3://${aws_s3_bucket.this.bucket}/async/failed/"

      notification_config {
        error_topic = aws_sns_topic.alerts.arn
      }
    }
  }
}
