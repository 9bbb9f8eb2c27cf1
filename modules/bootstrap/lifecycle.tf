# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# The newest noncurrent versions stay, so that a damaged state can always be restored. Each plan leaves a
# version and a delete marker of its lock file.
resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

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
      newer_noncurrent_versions = 10
      noncurrent_days           = var.noncurrent_version_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.state]
}
