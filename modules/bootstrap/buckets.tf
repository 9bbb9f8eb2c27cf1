# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

resource "aws_s3_bucket" "state" {
  # checkov:skip=CKV_AWS_18:A log bucket would need protection of its own; data events of CloudTrail record each access
  # checkov:skip=CKV_AWS_144:Data stays in its Region; a copy doubles its footprint, and versioning protects against mistakes
  # checkov:skip=CKV2_AWS_62:Nothing needs events of the bucket

  bucket        = "${var.name_prefix}-state-${var.account_id}"
  force_destroy = !var.deletion_protection
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

# The policy denies SSE-S3, which Terraform selects if the backend has `encrypt` and no `kms_key_id`.
resource "terraform_data" "bucket_policy" {
  for_each = toset(["state"])

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}",
          "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/*",
        ]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "DenyOldTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}",
          "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/*",
        ]
        Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
      },
      {
        Sid       = "DenyOtherEncryption"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/*"
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
        Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/*"
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
        Resource  = "arn:${var.partition}:s3:::${var.name_prefix}-state-${var.account_id}/*"
        Condition = {
          Null = {
            "s3:x-amz-server-side-encryption"                = "false"
            "s3:x-amz-server-side-encryption-aws-kms-key-id" = "true"
          }
        }
      },
    ]
  }
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = jsonencode(terraform_data.bucket_policy["state"].input)

  depends_on = [aws_s3_bucket_public_access_block.state]
}

# CI may change the policies of its buckets. This block refuses policies that make them public.
resource "aws_s3_account_public_access_block" "this" {
  for_each = toset(var.block_public_access ? ["account"] : [])

  account_id              = var.account_id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
