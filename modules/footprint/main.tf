# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  own_key = nonsensitive(var.existing_kms_key == null) ? toset(["own"]) : toset([])
}

# AWS services cannot publish to a topic with the key that AWS manages for SNS. Source: Cost Management user
# guide, "Creating an Amazon SNS topic for budget notifications" and "… for anomaly notifications".
resource "aws_kms_key" "this" {
  for_each = local.own_key

  description             = "Notifications on costs of ${var.name_prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:${var.partition}:iam::${var.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Budgets"
        Effect    = "Allow"
        Principal = { Service = "budgets.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:budgets::${var.account_id}:*" }
        }
      },
      {
        Sid       = "CostAnomalies"
        Effect    = "Allow"
        Principal = { Service = "costalerts.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  for_each = aws_kms_key.this

  name          = "alias/${var.name_prefix}-costs"
  target_key_id = each.value.key_id
}

locals {
  kms_key_arn = var.existing_kms_key == null ? one([for key in aws_kms_key.this : key.arn]) : var.existing_kms_key.arn
}

resource "aws_sns_topic" "costs" {
  name              = "${var.name_prefix}-costs"
  kms_master_key_id = local.kms_key_arn
  tags              = var.tags
}

# Budgets and Cost Anomaly Detection have no role, so the policy allows them for this account only.
resource "aws_sns_topic_policy" "costs" {
  arn = aws_sns_topic.costs.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Budgets"
        Effect    = "Allow"
        Principal = { Service = "budgets.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-costs"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:budgets::${var.account_id}:*" }
        }
      },
      {
        Sid       = "CostAnomalies"
        Effect    = "Allow"
        Principal = { Service = "costalerts.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-costs"
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-costs"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "costs" {
  for_each = var.subscribers

  topic_arn = aws_sns_topic.costs.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

resource "aws_s3_bucket" "carbon" {
  # checkov:skip=CKV_AWS_18:AWS writes to it each month and few people read it; a log would be larger than the data
  # checkov:skip=CKV_AWS_144:Data stays in its Region; a copy doubles its footprint, and versioning protects against mistakes
  # checkov:skip=CKV_AWS_145:The user guide of Data Exports documents no key policy for buckets with SSE-KMS
  # checkov:skip=CKV2_AWS_62:Nothing needs events of the bucket

  bucket        = "${var.name_prefix}-carbon-${var.account_id}-${var.region}"
  force_destroy = !var.deletion_protection
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "carbon" {
  bucket                  = aws_s3_bucket.carbon.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "carbon" {
  bucket = aws_s3_bucket.carbon.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "carbon" {
  bucket = aws_s3_bucket.carbon.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "carbon" {
  bucket = aws_s3_bucket.carbon.id

  versioning_configuration {
    status = "Enabled"
  }
}

# An overwritten file stays as a noncurrent version for a month.
resource "aws_s3_bucket_lifecycle_configuration" "carbon" {
  bucket = aws_s3_bucket.carbon.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {
      prefix = ""
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    dynamic "expiration" {
      for_each = var.carbon_export.expire_after_days[*]
      iterator = days

      content {
        days = days.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.carbon]
}

resource "aws_s3_bucket_policy" "carbon" {
  bucket = aws_s3_bucket.carbon.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:${var.partition}:s3:::${var.name_prefix}-carbon-${var.account_id}-${var.region}",
          "arn:${var.partition}:s3:::${var.name_prefix}-carbon-${var.account_id}-${var.region}/*",
        ]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "DenyOldTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:${var.partition}:s3:::${var.name_prefix}-carbon-${var.account_id}-${var.region}",
          "arn:${var.partition}:s3:::${var.name_prefix}-carbon-${var.account_id}-${var.region}/*",
        ]
        Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
      },
      {
        Sid       = "DataExports"
        Effect    = "Allow"
        Principal = { Service = "bcm-data-exports.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-carbon-${var.account_id}-${var.region}/*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:bcm-data-exports:us-east-1:${var.account_id}:export/*"
          }
        }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.carbon]
}

locals {
  guarded = {
    carbon = aws_s3_bucket.carbon.arn
  }
}

# Terraform refuses to destroy or replace these guards, and so any plan that deletes or replaces the data.
# prevent_destroy takes no variable, so it is not an argument of the data itself.
resource "terraform_data" "deletion_protection" {
  for_each = var.deletion_protection ? local.guarded : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}

# The provider reads a table configuration of CARBON_EMISSIONS back as null, so there is none.
resource "aws_bcmdataexports_export" "carbon" {
  tags = var.tags

  export {
    name        = "${var.name_prefix}-carbon"
    description = "Carbon emissions of account ${var.account_id}"

    data_query {
      query_statement = "SELECT last_refresh_timestamp, location, model_version, payer_account_id, product_code, region_code, total_lbm_emissions_unit, total_lbm_emissions_value, total_mbm_emissions_unit, total_mbm_emissions_value, total_scope_1_emissions_unit, total_scope_1_emissions_value, total_scope_2_lbm_emissions_unit, total_scope_2_lbm_emissions_value, total_scope_2_mbm_emissions_unit, total_scope_2_mbm_emissions_value, total_scope_3_lbm_emissions_unit, total_scope_3_lbm_emissions_value, total_scope_3_mbm_emissions_unit, total_scope_3_mbm_emissions_value, usage_account_id, usage_period_end, usage_period_start FROM CARBON_EMISSIONS"
    }

    destination_configurations {
      s3_destination {
        s3_bucket = aws_s3_bucket_policy.carbon.bucket
        s3_prefix = "carbon"
        s3_region = var.region

        s3_output_configurations {
          format      = "PARQUET"
          compression = "PARQUET"
          output_type = "CUSTOM"
          overwrite   = var.carbon_export.keep_every_delivery ? "CREATE_NEW_REPORT" : "OVERWRITE_REPORT"
        }
      }
    }

    refresh_cadence {
      frequency = "SYNCHRONOUS"
    }
  }
}

# AWS counts a filter by tag only in the form user:KEY$VALUE. The address of the topic comes from its policy, so
# that no budget exists before it may publish.
resource "aws_budgets_budget" "workloads" {
  for_each = var.budgets

  account_id   = var.account_id
  name         = "${var.name_prefix}-${each.key}"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = each.value.monthly_limit_usd
  limit_unit   = "USD"
  tags         = var.tags

  cost_filter {
    name   = "TagKeyValue"
    values = [join("$", ["user:${var.workload_tag_key}", each.key])]
  }

  dynamic "notification" {
    for_each = concat(
      [
        for percent in each.value.actual_percent : {
          type    = "ACTUAL"
          percent = percent
        }
      ],
      [
        for percent in each.value.forecast_percent : {
          type    = "FORECASTED"
          percent = percent
        }
      ],
    )
    iterator = one

    content {
      notification_type          = one.value.type
      comparison_operator        = "GREATER_THAN"
      threshold                  = one.value.percent
      threshold_type             = "PERCENTAGE"
      subscriber_sns_topic_arns  = [aws_sns_topic_policy.costs.arn]
      subscriber_email_addresses = var.notify_emails
    }
  }
}

locals {
  detections = nonsensitive(var.anomaly_detection == null) ? {} : { services = var.anomaly_detection }
}

# Evaluates the costs of each service of the account. An account may have one such monitor.
resource "aws_ce_anomaly_monitor" "services" {
  for_each = {
    for key, item in local.detections : key => item if nonsensitive(item.existing_monitor == null)
  }

  name              = "${var.name_prefix}-services"
  monitor_type      = "DIMENSIONAL"
  monitor_dimension = "SERVICE"
  tags              = var.tags
}

locals {
  monitor_arns = concat(
    [for one in aws_ce_anomaly_monitor.services : one.arn],
    [
      for key, item in local.detections : item.existing_monitor.arn if !nonsensitive(item.existing_monitor == null)
    ],
  )
}

# AWS sends single anomalies to topics only.
resource "aws_ce_anomaly_subscription" "topic" {
  for_each = local.detections

  name             = "${var.name_prefix}-anomalies-topic"
  frequency        = "IMMEDIATE"
  monitor_arn_list = local.monitor_arns
  tags             = var.tags

  subscriber {
    type    = "SNS"
    address = aws_sns_topic_policy.costs.arn
  }

  threshold_expression {
    dimension {
      key           = "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
      match_options = ["GREATER_THAN_OR_EQUAL"]
      values        = [each.value.minimum_impact_usd]
    }
  }
}

# AWS mails summaries only.
resource "aws_ce_anomaly_subscription" "emails" {
  for_each = { for key, item in local.detections : key => item if length(var.notify_emails) > 0 }

  name             = "${var.name_prefix}-anomalies-emails"
  frequency        = "DAILY"
  monitor_arn_list = local.monitor_arns
  tags             = var.tags

  threshold_expression {
    dimension {
      key           = "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
      match_options = ["GREATER_THAN_OR_EQUAL"]
      values        = [each.value.minimum_impact_usd]
    }
  }

  dynamic "subscriber" {
    for_each = var.notify_emails
    iterator = address

    content {
      type    = "EMAIL"
      address = address.value
    }
  }
}

resource "aws_ce_cost_allocation_tag" "this" {
  for_each = toset(var.cost_allocation_tags)

  tag_key = each.key
  status  = "Active"
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
