# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "arn" {
  description = "ARN of the pipeline."
  value       = aws_sagemaker_pipeline.this.arn
}

output "dead_letter_queue_names" {
  description = "Dead-letter queues of failed starts and of the failure topic, for `dead_letter_queues` of `observability`."

  value = concat(
    [for item in local.starters : "${local.name}-not-started"],
    [for item in aws_sns_topic.failed : "${local.name}-failed-undelivered"],
  )
}

output "dead_letter_queue_url" {
  description = "Dead-letter queue of failed starts; null without a trigger."
  value       = one([for queue in aws_sqs_queue.not_started : queue.url])
}

output "drift_alarm_arn" {
  description = "Alarm on drift; null without one."
  value       = one([for alarm in aws_cloudwatch_metric_alarm.drift : alarm.arn])
}

output "failure_topic_arn" {
  description = "Topic of failed executions; null without one."
  value       = one([for topic in aws_sns_topic.failed : topic.arn])
}

output "name" {
  description = "Name of the pipeline."
  value       = aws_sagemaker_pipeline.this.pipeline_name
}

output "role_statements" {
  description = "IAM statements that these resources need in the `pipeline` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."

  value = {
    pipeline = [
      {
        sid = "Steps"
        actions = [
          "sagemaker:AddTags",
          "sagemaker:CreateHyperParameterTuningJob",
          "sagemaker:CreateModel",
          "sagemaker:CreateProcessingJob",
          "sagemaker:CreateTrainingJob",
          "sagemaker:CreateTransformJob",
          "sagemaker:DescribeHyperParameterTuningJob",
          "sagemaker:DescribeModel",
          "sagemaker:DescribeProcessingJob",
          "sagemaker:DescribeTrainingJob",
          "sagemaker:DescribeTransformJob",
          "sagemaker:StopHyperParameterTuningJob",
          "sagemaker:StopProcessingJob",
          "sagemaker:StopTrainingJob",
          "sagemaker:StopTransformJob",
        ]
        resources = flatten([
          for kind in [
            "hyper-parameter-tuning-job", "processing-job", "training-job", "transform-job", "model",
            ] : [
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:${kind}/pipelines-*",
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:${kind}/${var.name_prefix}-*",
          ]
        ])
        condition = []
      },
    ]
  }
}

output "rule_names" {
  description = "EventBridge rules by event; null without a rule."

  value = {
    data_arrived = one([for rule in aws_cloudwatch_event_rule.data_arrived : rule.name])
    drift        = one([for rule in aws_cloudwatch_event_rule.drift : rule.name])
    failed       = one([for rule in aws_cloudwatch_event_rule.failed : rule.name])
  }
}

output "schedule_name" {
  description = "Schedule, in the group of the same name; null without one."
  value       = one([for schedule in aws_scheduler_schedule.this : schedule.name])
}

output "starter_role_arn" {
  description = "Role that starts the pipeline; null without a trigger."
  value       = local.starter_role_arn
}
