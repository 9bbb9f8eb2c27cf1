# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "repositories" {
  description = "Repositories by key."
  value       = module.images.repositories
}

output "role_statements" {
  description = "IAM statements that these resources need in the roles `data_preparation`, `training` and `inference`: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."
  value       = module.images.role_statements
}
