resource "aws_cloudwatch_event_rule" "training_starts" {
  name = "training-starts"
  event_pattern = jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Training Job State Change"]
    detail      = { TrainingJobStatus = ["InProgress"] }
  })
}

# The function reads CPUUtilization of /aws/sagemaker/TrainingJobs after a while and stops an idle job.
resource "aws_cloudwatch_event_target" "training_starts" {
  rule = aws_cloudwatch_event_rule.training_starts.name
  arn  = "arn:aws:lambda:eu-north-1:123456789012:function:stop-idle-training"
}
