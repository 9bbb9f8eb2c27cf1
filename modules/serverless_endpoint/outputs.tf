# Generated from module.py by scripts/synth.py: change that, then run it again.

output "endpoint_arn" {
  description = "ARN of the endpoint."
  value       = aws_sagemaker_endpoint.this.arn
}

output "endpoint_name" {
  description = "Name to invoke."
  value       = aws_sagemaker_endpoint.this.name
}

output "log_group_name" {
  description = "Log group of the container."
  value       = aws_cloudwatch_log_group.this.name
}

output "variant_name" {
  description = "Its one variant, as metrics and autoscaling name it."
  value       = "main"
}
