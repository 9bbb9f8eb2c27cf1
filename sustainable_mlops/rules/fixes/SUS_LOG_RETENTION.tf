resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/sagemaker/TrainingJobs"
  retention_in_days = 30
}
