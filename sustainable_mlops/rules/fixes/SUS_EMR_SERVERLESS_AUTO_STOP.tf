resource "aws_emrserverless_application" "this" {
  name          = "sagemaker-features"
  release_label = "emr-7.9.0"
  type          = "spark"
  architecture  = "ARM64"

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 15
  }
}
