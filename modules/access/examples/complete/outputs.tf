# Generated from the page of the module by smlops synth: change that, then run it again.

output "role_names" {
  description = "Names to attach more policies to."
  value       = module.access.role_names
}

output "role_arns" {
  description = "ARN of each phase's role, created here or existing. It is available after its policies."
  value       = module.access.role_arns
}
