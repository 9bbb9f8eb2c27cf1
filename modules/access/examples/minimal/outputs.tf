# Generated from the page of the module by smlops synth: change that, then run it again.

output "role_arns" {
  description = "Role of each phase."
  value       = module.access.role_arns
}

output "role_names" {
  description = "Name of each phase's role, to attach more policies."
  value       = module.access.role_names
}
