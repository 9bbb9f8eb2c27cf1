# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

resource "aws_sagemaker_feature_group" "this" {
  for_each = var.feature_groups

  feature_group_name             = "${var.name_prefix}-${replace(each.key, "_", "-")}"
  description                    = each.value.description
  record_identifier_feature_name = each.value.record_identifier
  event_time_feature_name        = each.value.event_time
  role_arn                       = var.role_arn
  tags                           = var.tags

  offline_store_config {
    table_format = "Iceberg"

    s3_storage_config {
      s3_uri     = var.offline_store_s3_uri
      kms_key_id = var.kms_key_arn
    }
  }

  throughput_config {
    throughput_mode = "OnDemand"
  }

  dynamic "feature_definition" {
    for_each = each.value.features

    content {
      feature_name = feature_definition.key
      feature_type = feature_definition.value.type
    }
  }

  dynamic "online_store_config" {
    for_each = each.value.online[*]

    content {
      enable_online_store = true

      security_config {
        kms_key_id = var.kms_key_arn
      }

      ttl_duration {
        unit  = online_store_config.value.ttl.unit
        value = online_store_config.value.ttl.value
      }
    }
  }

  # The provider would replace the group, and lose its data, to add a feature or to change the description.
  # UpdateFeatureGroup adds features instead; the checks below show when.
  lifecycle {
    ignore_changes = [description, feature_definition]
  }
}

# Terraform refuses to destroy or replace these guards, and so any plan that deletes or replaces the data.
# prevent_destroy takes no variable, so it is not an argument of the data itself.
resource "terraform_data" "deletion_protection" {
  for_each = var.deletion_protection ? { for key, group in aws_sagemaker_feature_group.this : key => group.arn } : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  # Features as `group.feature (type)`: the declared ones, and the real ones.
  declared_features = toset(flatten([
    for key, group in var.feature_groups :
    [for name, feature in group.features : "${key}.${name} (${feature.type})"]
  ]))

  actual_features = toset(flatten([
    for key, group in aws_sagemaker_feature_group.this : [
      for feature in group.feature_definition : "${key}.${feature.feature_name} (${feature.feature_type})"
    ]
  ]))
}

check "every_declared_feature_exists" {
  assert {
    condition     = length(setsubtract(local.declared_features, local.actual_features)) == 0
    error_message = "The feature groups lack ${join(", ", setsubtract(local.declared_features, local.actual_features))}. Apply, then add them with smlops evolve. No data is lost."
  }
}

check "every_feature_is_declared" {
  assert {
    condition     = length(setsubtract(local.actual_features, local.declared_features)) == 0
    error_message = "The feature groups have ${join(", ", setsubtract(local.actual_features, local.declared_features))}, which feature_groups does not declare. A feature cannot be removed or change its type: declare it again as it is."
  }
}

locals {
  # Account, Region and partition of the groups.
  place = {
    account_id = coalesce(var.account_id, split(":", var.kms_key_arn)[4])
    region     = coalesce(var.region, split(":", var.kms_key_arn)[3])
    partition  = var.region == null ? split(":", var.kms_key_arn)[1] : (can(regex("^us-gov-", var.region)) ? "aws-us-gov" : (can(regex("^cn-", var.region)) ? "aws-cn" : "aws"))
  }
}
