# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "buckets" {
  description = "Name and ARN of every bucket, by purpose: artifacts, data, logs and additional buckets."

  value = {
    for purpose, bucket in local.all_buckets : purpose => {
      arn  = "arn:${var.partition}:s3:::${bucket.bucket}"
      name = bucket.bucket
    }
  }

  depends_on = [aws_s3_bucket_policy.this, aws_s3_bucket_server_side_encryption_configuration.this]
}

output "kms_key_arn" {
  description = "KMS key of the buckets. Use it for all other resources of the environment."
  value       = local.kms_key_arn
}

output "prefixes" {
  description = "Prefix of every class of data, in the bucket of s3_uris."

  value = {
    raw             = "raw/"
    features        = "feature-store/"
    recreatable     = "re-creatable/"
    captures        = "captures/"
    models          = "models/"
    source          = "source/"
    runs            = "runs/"
    checkpoints     = "checkpoints/"
    debug_output    = "debug-output/"
    async_inference = "async-inference/"
  }
}

output "s3_uris" {
  description = "Location of every class of data, as s3://bucket/prefix without a slash at the end."

  value = {
    raw             = "s3://${aws_s3_bucket.this["data"].bucket}/raw"
    features        = "s3://${aws_s3_bucket.this["data"].bucket}/feature-store"
    recreatable     = "s3://${aws_s3_bucket.this["data"].bucket}/re-creatable"
    captures        = "s3://${aws_s3_bucket.this["data"].bucket}/captures"
    models          = "s3://${aws_s3_bucket.this["artifacts"].bucket}/models"
    source          = "s3://${aws_s3_bucket.this["artifacts"].bucket}/source"
    runs            = "s3://${aws_s3_bucket.this["artifacts"].bucket}/runs"
    checkpoints     = "s3://${aws_s3_bucket.this["artifacts"].bucket}/checkpoints"
    debug_output    = "s3://${aws_s3_bucket.this["artifacts"].bucket}/debug-output"
    async_inference = "s3://${aws_s3_bucket.this["artifacts"].bucket}/async-inference"
  }

  depends_on = [aws_s3_bucket_policy.this, aws_s3_bucket_server_side_encryption_configuration.this]
}
