# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "endpoint_ids" {
  description = "VPC endpoints by service, for conditions on aws:SourceVpce."
  value       = module.network.endpoint_ids
}

output "endpoints_security_group_id" {
  description = "Security group of the interface endpoints."
  value       = module.network.endpoints_security_group_id
}

output "security_group_id" {
  description = "Security group of jobs, endpoints and Studio."
  value       = module.network.security_group_id
}

output "vpc_config" {
  description = "Subnets and security groups for jobs and endpoints."
  value       = module.network.vpc_config
}
