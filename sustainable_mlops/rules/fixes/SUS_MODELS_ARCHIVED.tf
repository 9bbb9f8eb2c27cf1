resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.bucket

  rule {
    id     = "models"
    status = "Enabled"

    filter {
      prefix = "models/"
    }

    transition {
      days          = 90
      storage_class = "GLACIER_IR"
    }
  }
}
