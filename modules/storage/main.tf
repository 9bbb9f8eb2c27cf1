# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  dns_suffix = var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"
  readers    = [for account in var.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
  own_key    = nonsensitive(var.existing_kms_key == null) ? toset(["own"]) : toset([])
}

# Roles of this account use the key by their own policies, because the first statement delegates to IAM.
# CloudWatch alarms have no role, so the key policy allows them. EventBridge publishes with a role.
resource "aws_kms_key" "this" {
  for_each = local.own_key

  description             = "Data, models and logs of ${var.name_prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_protection ? 30 : 7
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "Account"
          Effect    = "Allow"
          Principal = { AWS = "arn:${var.partition}:iam::${var.account_id}:root" }
          Action    = "kms:*"
          Resource  = "*"
        },
        {
          Sid       = "LogGroups"
          Effect    = "Allow"
          Principal = { Service = "logs.${var.region}.${local.dns_suffix}" }
          Action = [
            "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*",
          ]
          Resource = "*"
          Condition = {
            ArnLike = {
              "kms:EncryptionContext:aws:logs:arn" = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:*"
            }
          }
        },
        {
          Sid       = "Topics"
          Effect    = "Allow"
          Principal = { Service = "cloudwatch.amazonaws.com" }
          Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
          Resource  = "*"
          Condition = {
            StringEquals = { "aws:SourceAccount" = var.account_id }
            ArnLike = {
              "aws:SourceArn"                          = "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:*"
              "kms:EncryptionContext:aws:sns:topicArn" = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.name_prefix}-*"
            }
          }
        },
      ],
      [
        for sid in length(var.reader_account_ids) > 0 ? ["DecryptModels"] : [] : {
          Sid       = sid
          Effect    = "Allow"
          Principal = { AWS = local.readers }
          Action    = "kms:Decrypt"
          Resource  = "*"
          Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.${local.dns_suffix}" } }
        }
      ],
    )
  })
}

resource "aws_kms_alias" "this" {
  for_each = aws_kms_key.this

  name          = "alias/${var.name_prefix}"
  target_key_id = each.value.key_id
}

locals {
  kms_key_arn = var.existing_kms_key == null ? one([for key in aws_kms_key.this : key.arn]) : var.existing_kms_key.arn
  purposes    = toset(concat(["artifacts", "data"], keys(var.extra_buckets)))
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18:checkov does not follow for_each: see aws_s3_bucket_logging.this
  # checkov:skip=CKV_AWS_21:checkov does not follow for_each: see aws_s3_bucket_versioning.this
  # checkov:skip=CKV_AWS_144:Data stays in its Region; a copy doubles its footprint, and versioning protects against mistakes
  # checkov:skip=CKV_AWS_145:checkov does not follow for_each: see aws_s3_bucket_server_side_encryption_configuration.this
  # checkov:skip=CKV2_AWS_6:checkov does not follow for_each: see aws_s3_bucket_public_access_block.this
  # checkov:skip=CKV2_AWS_61:checkov does not follow for_each: see aws_s3_bucket_lifecycle_configuration
  # checkov:skip=CKV2_AWS_62:Only buckets with a trigger send events, because each event is billed

  for_each = local.purposes

  bucket        = "${var.name_prefix}-${each.key}-${var.account_id}-${var.region}"
  force_destroy = !var.deletion_protection
  tags          = var.tags
}

resource "aws_s3_bucket" "logs" {
  # checkov:skip=CKV_AWS_18:Access logs of the log bucket would cause more access logs
  # checkov:skip=CKV_AWS_21:checkov does not follow for_each: see aws_s3_bucket_versioning.this
  # checkov:skip=CKV_AWS_144:Data stays in its Region; a copy doubles its footprint, and versioning protects against mistakes
  # checkov:skip=CKV_AWS_145:S3 delivers access logs only to buckets with SSE-S3
  # checkov:skip=CKV2_AWS_6:checkov does not follow for_each: see aws_s3_bucket_public_access_block.this
  # checkov:skip=CKV2_AWS_62:Nothing needs events of the log bucket

  bucket        = "${var.name_prefix}-logs-${var.account_id}-${var.region}"
  force_destroy = !var.deletion_protection
  tags          = var.tags
}

locals {
  all_buckets = merge(aws_s3_bucket.this, { logs = aws_s3_bucket.logs })
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.all_buckets

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.all_buckets

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.all_buckets

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

# A bucket key avoids a KMS call for almost every object.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.kms_key_arn
    }
  }
}

# S3 delivers access logs only to buckets with SSE-S3.
resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# An upload may leave encryption to the bucket's default or name the key. The policy denies SSE-S3, other keys
# and aws:kms without a key, which selects the account's aws/s3 key. SageMaker's API has no key parameter for
# checkpoints and debug output, so aws:kms without a key is allowed there.
resource "terraform_data" "bucket_policy" {
  for_each = local.purposes

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "DenyPlainHttp"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource = [
            "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}",
            "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}/*",
          ]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "DenyOldTls"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource = [
            "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}",
            "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}/*",
          ]
          Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
        },
        {
          Sid       = "DenyOtherEncryption"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:PutObject"
          Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}/*"
          Condition = {
            Null            = { "s3:x-amz-server-side-encryption" = "false" }
            StringNotEquals = { "s3:x-amz-server-side-encryption" = ["aws:kms", "aws:kms:dsse"] }
          }
        },
        {
          Sid       = "DenyOtherKeys"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:PutObject"
          Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}/*"
          Condition = {
            Null            = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" }
            StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = local.kms_key_arn }
          }
        },
        {
          Sid       = "DenyUnnamedKey"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:PutObject"
          NotResource = [
            "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}/checkpoints/*",
            "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}/debug-output/*",
          ]
          Condition = {
            Null = {
              "s3:x-amz-server-side-encryption"                = "false"
              "s3:x-amz-server-side-encryption-aws-kms-key-id" = "true"
            }
          }
        },
      ],
      concat(
        (each.key == "artifacts" ? length(var.reader_account_ids) > 0 : false) ? [
          {
            Sid       = "ReadModels"
            Effect    = "Allow"
            Principal = { AWS = local.readers }
            Action    = "s3:GetObject"
            Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}/models/*"
          },
        ] : [],
        (each.key == "artifacts" ? length(var.reader_account_ids) > 0 : false) ? [
          {
            Sid       = "ListModels"
            Effect    = "Allow"
            Principal = { AWS = local.readers }
            Action    = "s3:ListBucket"
            Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-${each.key}-${var.account_id}-${var.region}"
            Condition = { StringLike = { "s3:prefix" = "models/*" } }
          },
        ] : [],
      ),
    )
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  policy = jsonencode(terraform_data.bucket_policy[each.key].input)

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:${var.partition}:s3:::${var.name_prefix}-logs-${var.account_id}-${var.region}",
          "arn:${var.partition}:s3:::${var.name_prefix}-logs-${var.account_id}-${var.region}/*",
        ]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "DenyOldTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:${var.partition}:s3:::${var.name_prefix}-logs-${var.account_id}-${var.region}",
          "arn:${var.partition}:s3:::${var.name_prefix}-logs-${var.account_id}-${var.region}/*",
        ]
        Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
      },
      {
        Sid       = "AccessLogs"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-logs-${var.account_id}-${var.region}/access-logs/*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = [
              for purpose in local.purposes :
              "arn:${var.partition}:s3:::${var.name_prefix}-${purpose}-${var.account_id}-${var.region}"
            ]
          }
        }
      },
      {
        Sid       = "StorageLens"
        Effect    = "Allow"
        Principal = { Service = "storage-lens.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-logs-${var.account_id}-${var.region}/storage-lens/*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike = {
            "aws:SourceArn" = "arn:${var.partition}:s3:${var.region}:${var.account_id}:storage-lens/${var.name_prefix}"
          }
        }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# Partitioned by day of the event, so that a query reads only the days that it needs.
resource "aws_s3_bucket_logging" "this" {
  for_each = aws_s3_bucket.this

  bucket        = each.value.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "access-logs/${each.key}/"

  target_object_key_format {
    partitioned_prefix {
      partition_date_source = "EventTime"
    }
  }

  depends_on = [aws_s3_bucket_policy.logs]
}

# Sends an event to EventBridge for every object, so that new data can start pipelines.
resource "aws_s3_bucket_notification" "this" {
  for_each = toset(concat(["data"], [for purpose, bucket in var.extra_buckets : purpose if bucket.events]))

  bucket      = aws_s3_bucket.this[each.key].id
  eventbridge = true
}

# Intelligent-Tiering, because the access pattern of raw data and features is unknown.
resource "aws_s3_bucket_lifecycle_configuration" "data" {
  bucket = aws_s3_bucket.this["data"].id

  rule {
    id     = "raw"
    status = "Enabled"

    filter {
      prefix = "raw/"
    }

    transition {
      days          = 0
      storage_class = "INTELLIGENT_TIERING"
    }
  }

  rule {
    id     = "features"
    status = "Enabled"

    filter {
      prefix = "feature-store/"
    }

    transition {
      days          = 0
      storage_class = "INTELLIGENT_TIERING"
    }
  }

  rule {
    id     = "recreatable"
    status = "Enabled"

    filter {
      prefix = "re-creatable/"
    }

    transition {
      days          = lookup(var.lifecycle_days, "recreatable_to_one_zone", 30)
      storage_class = "ONEZONE_IA"
    }

    expiration {
      days = lookup(var.lifecycle_days, "recreatable", 90)
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "captures"
    status = "Enabled"

    filter {
      prefix = "captures/"
    }

    expiration {
      days = lookup(var.lifecycle_days, "captures", 30)
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      expired_object_delete_marker = true
    }

    noncurrent_version_expiration {
      noncurrent_days = lookup(var.lifecycle_days, "noncurrent", 30)
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = lookup(var.lifecycle_days, "incomplete_uploads", 7)
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

# Glacier Instant Retrieval, because an endpoint may need an old model immediately.
resource "aws_s3_bucket_lifecycle_configuration" "artifacts" {
  bucket = aws_s3_bucket.this["artifacts"].id

  rule {
    id     = "models"
    status = "Enabled"

    filter {
      prefix = "models/"
    }

    transition {
      days          = lookup(var.lifecycle_days, "artifacts_to_glacier", 90)
      storage_class = "GLACIER_IR"
    }
  }

  rule {
    id     = "source"
    status = "Enabled"

    filter {
      prefix = "source/"
    }

    transition {
      days          = lookup(var.lifecycle_days, "artifacts_to_glacier", 90)
      storage_class = "GLACIER_IR"
    }
  }

  rule {
    id     = "runs"
    status = "Enabled"

    filter {
      prefix = "runs/"
    }

    transition {
      days          = lookup(var.lifecycle_days, "artifacts_to_glacier", 90)
      storage_class = "GLACIER_IR"
    }
  }

  rule {
    id     = "checkpoints"
    status = "Enabled"

    filter {
      prefix = "checkpoints/"
    }

    expiration {
      days = lookup(var.lifecycle_days, "checkpoints", 14)
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "debug-output"
    status = "Enabled"

    filter {
      prefix = "debug-output/"
    }

    expiration {
      days = lookup(var.lifecycle_days, "debug_output", 14)
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "async-inference"
    status = "Enabled"

    filter {
      prefix = "async-inference/"
    }

    expiration {
      days = lookup(var.lifecycle_days, "async_inference", 7)
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      expired_object_delete_marker = true
    }

    noncurrent_version_expiration {
      noncurrent_days = lookup(var.lifecycle_days, "noncurrent", 30)
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = lookup(var.lifecycle_days, "incomplete_uploads", 7)
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "extra" {
  for_each = var.extra_buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {
      prefix = ""
    }

    transition {
      days          = 0
      storage_class = "INTELLIGENT_TIERING"
    }

    dynamic "expiration" {
      for_each = each.value.expiration_days[*]

      content {
        days = expiration.value
      }
    }
  }

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      expired_object_delete_marker = true
    }

    noncurrent_version_expiration {
      noncurrent_days = lookup(var.lifecycle_days, "noncurrent", 30)
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = lookup(var.lifecycle_days, "incomplete_uploads", 7)
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      days = lookup(var.lifecycle_days, "logs", 90)
    }
  }

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      expired_object_delete_marker = true
    }

    noncurrent_version_expiration {
      noncurrent_days = lookup(var.lifecycle_days, "noncurrent", 30)
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = lookup(var.lifecycle_days, "incomplete_uploads", 7)
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

# Only raw data. Features are queried in place, and a query fails on an archived object.
resource "aws_s3_bucket_intelligent_tiering_configuration" "raw" {
  for_each = nonsensitive(var.intelligent_tiering_archive_days == null) ? {} : { raw = var.intelligent_tiering_archive_days }

  bucket = aws_s3_bucket.this["data"].id
  name   = "archive-raw"

  filter {
    prefix = "raw/"
  }

  tiering {
    access_tier = "ARCHIVE_ACCESS"
    days        = each.value
  }
}

# Shows the content of the buckets and stale data, with the free metrics only.
resource "aws_s3control_storage_lens_configuration" "this" {
  config_id  = var.name_prefix
  account_id = var.account_id
  tags       = var.tags

  storage_lens_configuration {
    enabled = true

    account_level {
      bucket_level {}
    }

    include {
      buckets = [
        for purpose in local.purposes :
        "arn:${var.partition}:s3:::${var.name_prefix}-${purpose}-${var.account_id}-${var.region}"
      ]
    }

    dynamic "data_export" {
      for_each = var.storage_lens_export ? [aws_s3_bucket.logs.arn] : []

      content {
        s3_bucket_destination {
          account_id            = var.account_id
          arn                   = data_export.value
          format                = "Parquet"
          output_schema_version = "V_1"
          prefix                = "storage-lens"

          encryption {
            sse_s3 {}
          }
        }
      }
    }
  }

  depends_on = [aws_s3_bucket.this, aws_s3_bucket.logs]
}

locals {
  guarded = merge(
    { for purpose, bucket in local.all_buckets : purpose => bucket.arn },
    { for name, own in aws_kms_key.this : "kms_key" => own.arn },
  )
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
