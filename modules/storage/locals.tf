# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  readers     = [for account in var.reader_account_ids : "arn:${var.partition}:iam::${account}:root"]
  purposes    = toset(concat(["artifacts", "data"], keys(var.extra_buckets)))
  all_buckets = merge(aws_s3_bucket.this, { logs = aws_s3_bucket.logs })
}
