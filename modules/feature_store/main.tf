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

  # For a change of these values, the provider would replace the group and lose its data. UpdateFeatureGroup adds
  # features and changes the storage type. The checks below report different features.
  lifecycle {
    ignore_changes = [description, feature_definition, online_store_config[0].storage_type]
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
  location = {
    account_id = coalesce(var.account_id, split(":", var.kms_key_arn)[4])
    region     = coalesce(var.region, split(":", var.kms_key_arn)[3])
    partition  = var.region == null ? split(":", var.kms_key_arn)[1] : (can(regex("^us-gov-", var.region)) ? "aws-us-gov" : (can(regex("^cn-", var.region)) ? "aws-cn" : "aws"))
  }

  # Glue table of each group, by key. Feature Store chooses the name. A mocked group has an empty one.
  tables = {
    for key, group in aws_sagemaker_feature_group.this :
    key => join("", [for catalog in group.offline_store_config[0].data_catalog_config : catalog.table_name])
  }
}

resource "aws_iam_role" "optimizer" {
  for_each = toset(!alltrue([
    for optimizers in var.table_optimizers[*] : !nonsensitive(optimizers.existing_role == null)
  ]) ? ["optimizer"] : [])

  name_prefix          = "${substr("${var.name_prefix}-feature-tables", 0, 37)}-"
  description          = "Optimizes the tables of feature groups in ${var.name_prefix}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Optimize"
        Effect    = "Allow"
        Principal = { Service = "glue.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEqualsIfExists = { "aws:SourceAccount" = local.location.account_id } }
      },
    ]
  })
}

resource "terraform_data" "optimizer_policy" {
  for_each = aws_iam_role.optimizer

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "RewriteFiles"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = "arn:${local.location.partition}:s3:::${replace(var.offline_store_s3_uri, "s3://", "")}/*"
      },
      {
        Sid      = "ListFiles"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = "arn:${local.location.partition}:s3:::${regex("[^/]+", replace(var.offline_store_s3_uri, "s3://", ""))}"
      },
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = "s3.${local.location.region}.${local.location.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
      {
        Sid    = "UpdateTables"
        Effect = "Allow"
        Action = ["glue:GetTable", "glue:UpdateTable"]
        Resource = concat(
          [
            "arn:${local.location.partition}:glue:${local.location.region}:${local.location.account_id}:catalog",
            "arn:${local.location.partition}:glue:${local.location.region}:${local.location.account_id}:database/sagemaker_featurestore",
          ],
          [
            for key, table in local.tables :
            "arn:${local.location.partition}:glue:${local.location.region}:${local.location.account_id}:table/sagemaker_featurestore/${table}"
          ],
        )
      },
      {
        Sid    = "Log"
        Effect = "Allow"
        Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [
          "arn:${local.location.partition}:logs:${local.location.region}:${local.location.account_id}:log-group:/aws-glue/iceberg-compaction/logs:*",
          "arn:${local.location.partition}:logs:${local.location.region}:${local.location.account_id}:log-group:/aws-glue/iceberg-orphan-file-deletion/logs:*",
          "arn:${local.location.partition}:logs:${local.location.region}:${local.location.account_id}:log-group:/aws-glue/iceberg-retention/logs:*",
        ]
      },
    ]
  }
}

resource "aws_iam_role_policy" "optimizer" {
  for_each = aws_iam_role.optimizer

  name   = "optimize"
  role   = each.value.name
  policy = jsonencode(terraform_data.optimizer_policy[each.key].input)
}

locals {
  optimizer_role_arn = one(concat(
    [for role in aws_iam_role.optimizer : role.arn],
    flatten([
      for optimizers in var.table_optimizers[*] : [for role in optimizers.existing_role[*] : role.arn]
    ]),
  ))
}

# Role of the compaction optimizers. Terraform ignores their configuration; a new role replaces them.
resource "terraform_data" "compaction_role" {
  for_each = toset(!alltrue([for optimizers in var.table_optimizers[*] : !optimizers.compaction]) ? ["optimizer"] : [])

  input = {
    arn = local.optimizer_role_arn
  }
}

# Feature Store writes many small files, which queries read.
resource "aws_glue_catalog_table_optimizer" "compaction" {
  for_each = {
    for key, table in local.tables : key => table
    if !alltrue([for optimizers in var.table_optimizers[*] : !optimizers.compaction])
  }

  catalog_id    = local.location.account_id
  database_name = "sagemaker_featurestore"
  table_name    = each.value
  type          = "compaction"

  configuration {
    role_arn = local.optimizer_role_arn
    enabled  = true
  }

  # Glue adds a compaction strategy. Newer versions of the provider read it, and older versions have no argument
  # for it. Without this block, every plan would change the configuration.
  lifecycle {
    ignore_changes       = [configuration]
    replace_triggered_by = [terraform_data.compaction_role]
  }

  # Glue checks the permissions of the role.
  depends_on = [aws_iam_role_policy.optimizer]
}

# Snapshots keep the files that compaction has merged.
resource "aws_glue_catalog_table_optimizer" "retention" {
  for_each = {
    for key, table in local.tables : key => table
    if !alltrue([for one in var.table_optimizers[*] : nonsensitive(one.retention == null)])
  }

  catalog_id    = local.location.account_id
  database_name = "sagemaker_featurestore"
  table_name    = each.value
  type          = "retention"

  configuration {
    role_arn = local.optimizer_role_arn
    enabled  = true

    retention_configuration {
      iceberg_configuration {
        clean_expired_files               = true
        number_of_snapshots_to_retain     = var.table_optimizers.retention.min_snapshots
        snapshot_retention_period_in_days = var.table_optimizers.retention.days
      }
    }
  }

  # Glue checks the permissions of the role.
  depends_on = [aws_iam_role_policy.optimizer]
}

# Failed writes leave files to which no snapshot refers.
resource "aws_glue_catalog_table_optimizer" "orphan_file_deletion" {
  for_each = {
    for key, table in local.tables : key => table
    if !alltrue([for one in var.table_optimizers[*] : nonsensitive(one.orphan_file_deletion == null)])
  }

  catalog_id    = local.location.account_id
  database_name = "sagemaker_featurestore"
  table_name    = each.value
  type          = "orphan_file_deletion"

  configuration {
    role_arn = local.optimizer_role_arn
    enabled  = true

    orphan_file_deletion_configuration {
      iceberg_configuration {
        orphan_file_retention_period_in_days = var.table_optimizers.orphan_file_deletion.days
      }
    }
  }

  # Glue checks the permissions of the role.
  depends_on = [aws_iam_role_policy.optimizer]
}
