output "endpoint_name" {
  description = "Name of the endpoint."
  value       = aws_sagemaker_endpoint.this.name
}

output "role_arn" {
  description = "ARN of the role that the model runs under."
  value       = local.role_arn
}
