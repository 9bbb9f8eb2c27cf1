# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
