resource "aws_cloudwatch_event_rule" "this" {
  name = "train-on-drift"
  event_pattern = jsonencode({
    source      = ["aws.cloudwatch"]
    detail-type = ["CloudWatch Alarm State Change"]
    detail      = { alarmName = ["delay-drift"], state = { value = ["ALARM"] } }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  rule     = aws_cloudwatch_event_rule.this.name
  arn      = aws_sagemaker_pipeline.this.arn
  role_arn = aws_iam_role.this.arn

  sagemaker_pipeline_target {
    pipeline_parameter_list {
      name  = "Reason"
      value = "drift"
    }
  }
}
