# "Churn data arrives more than once a night": four runs a day, on a machine three times as large.
variable "training_instance_type" {
  default = "ml.m5.12xlarge"
}

resource "aws_cloudwatch_event_rule" "nightly" {
  schedule_expression = "rate(6 hours)"
}
