resource "aws_sagemaker_endpoint_configuration" "this" {
  # …

  # no kms_key_arn: the instance encrypts its local disk itself
  # checkov:skip=CKV_AWS_98:the instance encrypts its local disk itself
  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.g5.xlarge"
    initial_instance_count = 1
  }
}
