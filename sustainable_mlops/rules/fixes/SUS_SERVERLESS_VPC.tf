resource "aws_sagemaker_model" "this" {
  # … without vpc_config
}
