# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "backends" {
  description = "Configuration of the backend s3 by environment, and of this root module as `bootstrap`."
  value       = module.bootstrap.backends
}

output "identity_provider_arns" {
  description = "ARNs of the identity providers: github and gitlab. A provider exists once a role trusts it."
  value       = module.bootstrap.identity_provider_arns
}

output "kms_key_arn" {
  description = "KMS key of the state: `state.kms_key_arn` of an environment's settings."
  value       = module.bootstrap.kms_key_arn
}

output "permissions_boundary_arns" {
  description = "Permissions boundaries by environment: `access.permissions_boundary_arn` of its settings."
  value       = module.bootstrap.permissions_boundary_arns
}

output "role_arns" {
  description = "ARNs of the roles by kind (plan, apply, promote) and environment."
  value       = module.bootstrap.role_arns
}

output "service_control_policy" {
  description = "Service control policy as JSON, for the management account to attach to this account; null without break_glass_role_arns."
  value       = module.bootstrap.service_control_policy
}
