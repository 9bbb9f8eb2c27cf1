resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.bucket

  rule {
    id     = "async"
    status = "Enabled"

    filter {
      prefix = "async/"
    }

    expiration {
      days = 7
    }
  }

  rule {
    id     = "captures"
    status = "Enabled"

    filter {
      prefix = "captures/"
    }

    expiration {
      days = 30
    }
  }
}
