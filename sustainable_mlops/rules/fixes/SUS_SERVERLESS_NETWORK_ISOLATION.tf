resource "aws_sagemaker_model" "this" {
  # …

  # checkov:skip=CKV_AWS_370:a serverless endpoint refuses a model with network isolation
  enable_network_isolation = false
}
