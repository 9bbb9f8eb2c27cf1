# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
