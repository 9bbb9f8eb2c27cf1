# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "export" {
  description = "Carbon export."
  value       = module.footprint.export
}

output "anomaly_monitor_arn" {
  description = "Monitor of unusual costs; null without anomaly_detection."
  value       = module.footprint.anomaly_monitor_arn
}

output "bucket" {
  description = "Bucket of the carbon export: arn and name."
  value       = module.footprint.bucket
}

output "budgets" {
  description = "Names of the budgets by workload."
  value       = module.footprint.budgets
}

output "kms_key_arn" {
  description = "KMS key of the topic."
  value       = module.footprint.kms_key_arn
}

output "topic_arn" {
  description = "SNS topic of the budgets and anomalies."
  value       = module.footprint.topic_arn
}
