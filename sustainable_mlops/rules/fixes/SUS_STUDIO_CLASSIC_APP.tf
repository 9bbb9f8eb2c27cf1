resource "aws_sagemaker_app" "this" {
  domain_id  = aws_sagemaker_domain.this.id
  space_name = aws_sagemaker_space.this.space_name
  app_type   = "JupyterLab"
  app_name   = "default"

  resource_spec {
    instance_type = "ml.t3.medium"
  }
}
