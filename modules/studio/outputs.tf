# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "domain_arn" {
  description = "ARN of the domain."
  value       = aws_sagemaker_domain.this.arn
}

output "domain_id" {
  description = "ID of the domain."
  value       = aws_sagemaker_domain.this.id
}

output "file_system_id" {
  description = "File system with the home directories."
  value       = aws_sagemaker_domain.this.home_efs_file_system_id
}

output "tracking_server_arn" {
  description = "ARN of the tracking server, which MLflow takes as its tracking URI; null without one."
  value       = one([for one in aws_sagemaker_mlflow_tracking_server.this : one.arn])
}

output "tracking_server_url" {
  description = "Address of the tracking server; null without one."
  value       = one([for one in aws_sagemaker_mlflow_tracking_server.this : one.tracking_server_url])
}

output "url" {
  description = "Address of Studio."
  value       = aws_sagemaker_domain.this.url
}

output "user_profile_arns" {
  description = "User profiles by name."
  value       = { for key, one in aws_sagemaker_user_profile.this : key => one.arn }
}
