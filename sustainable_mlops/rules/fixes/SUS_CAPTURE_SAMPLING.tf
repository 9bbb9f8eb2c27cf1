resource "aws_sagemaker_endpoint_configuration" "this" {
  # …

  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 10
    destination_s3_uri          = "s3://${aws_s3_bucket.this.bucket}/captures/"

    capture_options {
      capture_mode = "Input"
    }
  }
}
