# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "anomaly_monitor_arn" {
  description = "Monitor of unusual costs; null without anomaly_detection."
  value       = one(local.monitor_arns)
}

output "bucket" {
  description = "Bucket of the carbon export: arn and name."

  value = {
    arn  = aws_s3_bucket.carbon.arn
    name = aws_s3_bucket.carbon.bucket
  }
}

output "budgets" {
  description = "Names of the budgets by workload."
  value       = { for key, budget in aws_budgets_budget.workloads : key => budget.name }
}

output "export" {
  description = "Carbon export: arn, and s3_uri for `smlops reconcile --export`."

  value = {
    arn    = aws_bcmdataexports_export.carbon.id
    s3_uri = "s3://${aws_s3_bucket.carbon.bucket}/carbon/${var.name_prefix}-carbon"
  }
}

output "kms_key_arn" {
  description = "KMS key of the topic."
  value       = local.kms_key_arn
}

output "topic_arn" {
  description = "SNS topic of the budgets and anomalies."
  value       = aws_sns_topic_policy.costs.arn
}
