resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "delay-"

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }

  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 10
    destination_s3_uri          = "s3://${aws_s3_bucket.this.bucket}/captures/"

    capture_options {
      capture_mode = "Input"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}
