# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "role_arns" {
  description = "Role of each phase, after its policies."
  value       = module.access.role_arns
}

output "role_names" {
  description = "Name of each phase's role, to attach more policies."
  value       = module.access.role_names
}
