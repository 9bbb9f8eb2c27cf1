# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "role_names" {
  description = "Name of each role, created here or existing."
  value       = module.access.role_names
}

output "role_arns" {
  description = "ARN of each phase's role, created here or existing. It is available after its policies."
  value       = module.access.role_arns
}
