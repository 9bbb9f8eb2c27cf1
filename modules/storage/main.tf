# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# Shows the content of the buckets and stale data, with the free metrics only.
resource "aws_s3control_storage_lens_configuration" "this" {
  config_id  = var.name_prefix
  account_id = var.account_id
  tags       = var.tags

  storage_lens_configuration {
    enabled = true

    account_level {
      bucket_level {}
    }

    include {
      buckets = [
        for purpose in local.purposes :
        "arn:${var.partition}:s3:::${var.name_prefix}-${purpose}-${var.account_id}-${var.region}"
      ]
    }

    dynamic "data_export" {
      for_each = var.storage_lens_export ? [aws_s3_bucket.logs.arn] : []

      content {
        s3_bucket_destination {
          account_id            = var.account_id
          arn                   = data_export.value
          format                = "Parquet"
          output_schema_version = "V_1"
          prefix                = "storage-lens"

          encryption {
            sse_s3 {}
          }
        }
      }
    }
  }

  depends_on = [aws_s3_bucket.this, aws_s3_bucket.logs]
}

locals {
  guarded = merge(
    { for purpose, bucket in local.all_buckets : purpose => bucket.arn },
    { for name, own in aws_kms_key.this : "kms_key" => own.arn },
  )
}

# Terraform refuses to destroy or replace these guards, and so any plan that deletes or replaces the data.
# prevent_destroy takes no variable, so it is not an argument of the data itself.
resource "terraform_data" "deletion_protection" {
  for_each = var.deletion_protection ? local.guarded : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}

data "aws_caller_identity" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

data "aws_region" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

check "location" {
  assert {
    condition     = alltrue([for identity in data.aws_caller_identity.location : identity.account_id == var.account_id]) ? alltrue([for region in data.aws_region.location : region.id == var.region]) : false
    error_message = "the provider works in another account or Region than ${var.account_id} and ${var.region}; correct account_id and region, or pass another provider."
  }
}
