# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "approval_rules" {
  description = "EventBridge rules by key of the group: attach a target to start your delivery."
  value       = { for key, rule in aws_cloudwatch_event_rule.approval : key => rule.name }
}

output "approval_topic_arn" {
  description = "Topic of approvals and rejections; null without one."
  value       = one([for topic in aws_sns_topic.approvals : topic.arn])
}

output "dead_letter_queue_names" {
  description = "Dead-letter queues of the approval topic and of the delivery pipeline, for `dead_letter_queues` of `observability`."

  value = concat(
    [for item in aws_sns_topic.approvals : "${var.name_prefix}-model-approvals-undelivered"],
    [for item in aws_sqs_queue.dead_letter : "${var.name_prefix}-approvals-not-delivered"],
  )
}

output "delivery_dead_letter_queue_url" {
  description = "Dead-letter queue of approvals that did not start the delivery pipeline; null without `delivery`."
  value       = one([for queue in aws_sqs_queue.dead_letter : queue.url])
}

output "model_package_groups" {
  description = "Model package groups by key: name and arn."

  value = {
    for key, group in aws_sagemaker_model_package_group.this : key => {
      name = group.model_package_group_name
      arn  = group.arn
    }
  }
}

output "role_statements" {
  description = "IAM statements that these resources need in the `pipeline` role: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."

  value = {
    pipeline = [
      {
        sid     = "Register"
        actions = ["sagemaker:CreateModelPackage"]
        resources = flatten([
          for name in [
            for key, group in var.model_package_groups : "${var.name_prefix}-${replace(key, "_", "-")}"
            ] : [
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${name}",
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${name}/*",
          ]
        ])
        condition = [
          {
            test     = "StringEqualsIfExists"
            variable = "sagemaker:ModelApprovalStatus"
            values   = ["PendingManualApproval", "Rejected"]
          },
        ]
      },
      {
        sid = "TagAndReadPackages"
        actions = [
          "sagemaker:AddTags",
          "sagemaker:DescribeModelPackage",
          "sagemaker:DescribeModelPackageGroup",
          "sagemaker:ListModelPackages",
        ]
        resources = flatten([
          for name in [
            for key, group in var.model_package_groups : "${var.name_prefix}-${replace(key, "_", "-")}"
            ] : [
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${name}",
            "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${name}/*",
          ]
        ])
        condition = []
      },
    ]
  }
}
