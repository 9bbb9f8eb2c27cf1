# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
