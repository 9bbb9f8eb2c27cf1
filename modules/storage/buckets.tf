# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  kms_key_arn = var.existing_kms_key == null ? one([for key in aws_kms_key.this : key.arn]) : var.existing_kms_key.arn
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
