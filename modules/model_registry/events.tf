# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# Starts a promotion when a person approves a model, without polling. An edit of an approved package's metadata
# does not match.
resource "aws_cloudwatch_event_rule" "approval" {
  for_each = aws_sagemaker_model_package_group.this

  name        = "${var.name_prefix}-${replace(each.key, "_", "-")}-approval"
  description = "A model package of ${each.value.model_package_group_name} was approved or rejected."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Model Package State Change"]
    detail = {
      ModelPackageGroupName = [each.value.model_package_group_name]
      ModelApprovalStatus   = ["Approved", "Rejected"]
      "$or" = [
        { UpdatedModelPackageFields = ["ModelApprovalStatus"] },
        {
          UpdatedModelPackageFields = [{ exists = false }]
          ModelPackageStatus        = ["Completed"]
        },
      ]
    }
  })
}

# Keeps events that no topic got, such as for a missing permission on its key.
resource "aws_sqs_queue" "undelivered" {
  for_each = nonsensitive(var.approval_topic == null) ? {} : { approvals = var.approval_topic }

  name                      = "${var.name_prefix}-model-approvals-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  for_each = aws_sqs_queue.undelivered

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KeepEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.name_prefix}-model-approvals-undelivered"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}-*-approval"
          }
        }
      },
    ]
  })
}

locals {
  publisher_role_arn = one(concat(
    [for key, item in aws_iam_role_policy.publisher : aws_iam_role.publisher[key].arn],
    [
      for key, item in nonsensitive(var.approval_topic == null) ? {} : { approvals = var.approval_topic } :
      item.existing_role.arn if !nonsensitive(item.existing_role == null)
    ],
  ))
}

resource "aws_cloudwatch_event_target" "approvals" {
  for_each = {
    for key, rule in aws_cloudwatch_event_rule.approval : key => rule.name
    if !nonsensitive(var.approval_topic == null)
  }

  rule      = each.value
  target_id = "topic"
  arn       = aws_sns_topic.approvals["approvals"].arn
  role_arn  = local.publisher_role_arn

  dead_letter_config {
    arn = one([for queue in aws_sqs_queue.undelivered : queue.arn])
  }
}

locals {
  # The request of each approval; null without `delivery`. EventBridge replaces the placeholders.
  delivery_request = one(concat(
    [
      for github in flatten([for delivery in var.delivery[*] : delivery.github[*]]) : {
        url = "${github.api_url}/repos/${github.repository}/dispatches"
        body = replace(replace(jsonencode({
          event_type = github.event_type
          client_payload = {
            account_id          = "<account_id>"
            model_package_arn   = "<model_package_arn>"
            model_package_group = "<model_package_group>"
            region              = "<region>"
          }
        }), "\\u003c", "<"), "\\u003e", ">")
      }
    ],
    [
      for gitlab in flatten([for delivery in var.delivery[*] : delivery.gitlab[*]]) : {
        url = "${gitlab.api_url}/projects/${gitlab.project_id}/pipeline"
        body = replace(replace(jsonencode({
          ref = gitlab.ref
          variables = [
            {
              key   = "ACCOUNT_ID"
              value = "<account_id>"
            },
            {
              key   = "MODEL_PACKAGE_ARN"
              value = "<model_package_arn>"
            },
            {
              key   = "MODEL_PACKAGE_GROUP"
              value = "<model_package_group>"
            },
            {
              key   = "REGION"
              value = "<region>"
            },
          ]
        }), "\\u003c", "<"), "\\u003e", ">")
      }
    ],
  ))
}

# One request a second, because each one starts a pipeline.
resource "aws_cloudwatch_event_api_destination" "delivery" {
  for_each = nonsensitive(var.delivery == null) ? {} : { delivery = var.delivery }

  name                             = "${var.name_prefix}-model-delivery"
  description                      = "Starts the delivery pipeline of an approved model package."
  connection_arn                   = each.value.connection_arn
  http_method                      = "POST"
  invocation_endpoint              = local.delivery_request.url
  invocation_rate_limit_per_second = 1
}

# Keeps approvals that did not start the pipeline, which would be lost otherwise.
resource "aws_sqs_queue" "dead_letter" {
  for_each = nonsensitive(var.delivery == null) ? {} : { delivery = var.delivery }

  name                      = "${var.name_prefix}-approvals-not-delivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "dead_letter" {
  for_each = aws_sqs_queue.dead_letter

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KeepApprovals"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.name_prefix}-approvals-not-delivered"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.name_prefix}-*-delivery"
          }
        }
      },
    ]
  })
}

locals {
  delivery_role_arn = one(concat(
    [for key, item in aws_iam_role_policy.delivery : aws_iam_role.delivery[key].arn],
    [
      for key, item in nonsensitive(var.delivery == null) ? {} : { delivery = var.delivery } :
      item.existing_role.arn if !nonsensitive(item.existing_role == null)
    ],
  ))
}

# Separate from the rule `approval`, which matches rejections too.
resource "aws_cloudwatch_event_rule" "delivery" {
  for_each = {
    for key, group in aws_sagemaker_model_package_group.this : key => group.model_package_group_name
    if !nonsensitive(var.delivery == null)
  }

  name        = "${var.name_prefix}-${replace(each.key, "_", "-")}-delivery"
  description = "A model package of ${each.value} was approved."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Model Package State Change"]
    detail = {
      ModelPackageGroupName = [each.value]
      ModelApprovalStatus   = ["Approved"]
      "$or" = [
        { UpdatedModelPackageFields = ["ModelApprovalStatus"] },
        {
          UpdatedModelPackageFields = [{ exists = false }]
          ModelPackageStatus        = ["Completed"]
        },
      ]
    }
  })
}

resource "aws_cloudwatch_event_target" "delivery" {
  for_each = aws_cloudwatch_event_rule.delivery

  rule      = each.value.name
  target_id = "pipeline"
  arn       = aws_cloudwatch_event_api_destination.delivery["delivery"].arn
  role_arn  = local.delivery_role_arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letter["delivery"].arn
  }

  input_transformer {
    input_template = local.delivery_request.body

    input_paths = {
      account_id          = "$.account"
      model_package_arn   = "$.detail.ModelPackageArn"
      model_package_group = "$.detail.ModelPackageGroupName"
      region              = "$.region"
    }
  }
}
