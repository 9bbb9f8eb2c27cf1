# Both buckets use one provider, so they are in one Region.
resource "aws_s3_bucket" "copy" {
  bucket = "sagemaker-copy-123456789012"
}

resource "aws_s3_bucket_replication_configuration" "this" {
  bucket = aws_s3_bucket.this.bucket
  role   = aws_iam_role.this.arn

  rule {
    id     = "models"
    status = "Enabled"

    filter {
      prefix = "models/"
    }

    delete_marker_replication {
      status = "Disabled"
    }

    destination {
      bucket = aws_s3_bucket.copy.arn
    }
  }
}
