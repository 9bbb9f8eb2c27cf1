resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "delay-"

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }

  async_inference_config {
    output_config {
      s3_output_path  = "s3://${aws_s3_bucket.this.bucket}/async/output/"
      s3_failure_path = "s3://${aws_s3_bucket.this.bucket}/async/failed/"

      notification_config {
        error_topic = aws_sns_topic.alerts.arn
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}
