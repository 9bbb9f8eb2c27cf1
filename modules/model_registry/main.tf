# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

resource "aws_sagemaker_model_package_group" "this" {
  for_each = var.model_package_groups

  model_package_group_name        = "${var.name_prefix}-${replace(each.key, "_", "-")}"
  model_package_group_description = each.value.description
  tags                            = var.tags

  # The provider would replace the group to change its description.
  lifecycle {
    ignore_changes = [model_package_group_description]
  }
}

# Terraform refuses to destroy or replace these guards, and so any plan that deletes or replaces the data.
# prevent_destroy takes no variable, so it is not an argument of the data itself.
resource "terraform_data" "deletion_protection" {
  for_each = var.deletion_protection ? { for key, group in aws_sagemaker_model_package_group.this : key => group.arn } : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  shared_groups = {
    for key, group in var.model_package_groups : key => group if length(group.reader_account_ids) > 0
  }
}

resource "aws_sagemaker_model_package_group_policy" "readers" {
  for_each = local.shared_groups

  model_package_group_name = aws_sagemaker_model_package_group.this[each.key].model_package_group_name

  resource_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "FindGroup"
        Effect = "Allow"
        Principal = {
          AWS = [for account in each.value.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
        }
        Action   = "sagemaker:DescribeModelPackageGroup"
        Resource = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package-group/${var.name_prefix}-${replace(each.key, "_", "-")}"
      },
      {
        Sid    = "ReadAndDeployPackages"
        Effect = "Allow"
        Principal = {
          AWS = [for account in each.value.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
        }
        Action = [
          "sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages",
        ]
        Resource = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:model-package/${var.name_prefix}-${replace(each.key, "_", "-")}/*"
      },
    ]
  })
}

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

resource "aws_sns_topic" "approvals" {
  for_each = nonsensitive(var.approval_topic == null) ? {} : { approvals = var.approval_topic }

  name              = "${var.name_prefix}-model-approvals"
  kms_master_key_id = each.value.kms_key_arn
  tags              = var.tags
}

# Has no Allow statement: roles publish by their own IAM policies. EventBridge assumes the role publisher.
resource "aws_sns_topic_policy" "approvals" {
  for_each = aws_sns_topic.approvals

  arn = each.value.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-model-approvals"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "approvals" {
  for_each = nonsensitive(var.approval_topic == null) ? {} : var.approval_topic.subscribers

  topic_arn = aws_sns_topic.approvals["approvals"].arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

locals {
  missing_publishers = {
    for key, item in nonsensitive(var.approval_topic == null) ? {} : { approvals = var.approval_topic } :
    key => item if nonsensitive(item.existing_role == null)
  }
}

# EventBridge may assume the role only for these rules.
resource "aws_iam_role" "publisher" {
  for_each = local.missing_publishers

  name_prefix          = "${substr("${var.name_prefix}-model-approvals-publisher", 0, 37)}-"
  description          = "Publishes events to ${var.name_prefix}-model-approvals"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "PublishEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
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

resource "terraform_data" "publisher_policy" {
  for_each = local.missing_publishers

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Publish"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-model-approvals"
      },
      {
        Sid      = "PublishEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = each.value.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = "sns.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
    ]
  }
}

resource "aws_iam_role_policy" "publisher" {
  for_each = aws_iam_role.publisher

  name   = "publish"
  role   = each.value.name
  policy = jsonencode(terraform_data.publisher_policy[each.key].input)
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

# EventBridge may assume the role only for these rules.
resource "aws_iam_role" "delivery" {
  for_each = {
    for key, item in nonsensitive(var.delivery == null) ? {} : { delivery = var.delivery } : key => item
    if nonsensitive(item.existing_role == null)
  }

  name_prefix          = "${substr("${var.name_prefix}-model-delivery", 0, 37)}-"
  description          = "Invokes the API destination ${var.name_prefix}-model-delivery"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "StartDelivery"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
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

# The second ARN has the ID that AWS adds to the name; both name only this destination.
resource "aws_iam_role_policy" "delivery" {
  for_each = aws_iam_role.delivery

  name = "invoke"
  role = each.value.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Invoke"
        Effect = "Allow"
        Action = "events:InvokeApiDestination"
        Resource = [
          "arn:${var.partition}:events:${var.region}:${var.account_id}:api-destination/${var.name_prefix}-model-delivery",
          "arn:${var.partition}:events:${var.region}:${var.account_id}:api-destination/${var.name_prefix}-model-delivery/*",
        ]
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

data "aws_caller_identity" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

data "aws_region" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

check "location" {
  assert {
    condition     = alltrue([for identity in data.aws_caller_identity.location : identity.account_id == var.account_id]) ? alltrue([for region in data.aws_region.location : region.id == var.region]) : false
    error_message = "the provider works in another account or Region than ${var.account_id} and ${var.region}; correct account_id and region, or pass another provider."
  }
}
