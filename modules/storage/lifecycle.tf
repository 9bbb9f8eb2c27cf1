# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
