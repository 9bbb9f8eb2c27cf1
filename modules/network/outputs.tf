# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "endpoint_ids" {
  description = "VPC endpoints by service, for conditions on aws:SourceVpce."

  value = merge(
    { for key, endpoint in aws_vpc_endpoint.gateway : key => endpoint.id },
    { for key, endpoint in aws_vpc_endpoint.this : key => endpoint.id },
  )
}

output "endpoints_security_group_id" {
  description = "Security group of the interface endpoints."
  value       = aws_security_group.endpoints.id
}

output "security_group_id" {
  description = "Security group of jobs, endpoints and Studio."
  value       = aws_security_group.workloads.id
}

output "vpc_config" {
  description = "Subnets and security groups for jobs and endpoints."

  value = {
    subnets            = var.subnet_ids
    security_group_ids = [aws_security_group.workloads.id]
  }
}
