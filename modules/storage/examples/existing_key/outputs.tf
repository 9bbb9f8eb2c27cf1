# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "kms_key_arn" {
  description = "KMS key of the buckets."
  value       = module.storage.kms_key_arn
}

output "buckets" {
  description = "Name and ARN of every bucket, by purpose: artifacts, data, logs and additional buckets."
  value       = module.storage.buckets
}

output "prefixes" {
  description = "Prefix of every class of data, in the bucket of s3_uris."
  value       = module.storage.prefixes
}

output "s3_uris" {
  description = "Location of every class of data, as s3://bucket/prefix without a slash at the end."
  value       = module.storage.s3_uris
}
