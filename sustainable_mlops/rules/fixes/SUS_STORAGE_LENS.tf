resource "aws_s3control_storage_lens_configuration" "this" {
  config_id = "all-buckets"

  storage_lens_configuration {
    enabled = true

    account_level {
      bucket_level {}
    }
  }
}
