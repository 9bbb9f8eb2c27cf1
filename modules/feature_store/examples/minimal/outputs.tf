# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "feature_groups" {
  description = "Feature groups by key: name, arn, offline_s3_uri (where the data is), online, and the declared features (name to type), which smlops evolve reads."
  value       = module.feature_store.feature_groups
}

output "role_statements" {
  description = "IAM statements that these resources need in the roles `data_preparation`, `training` and `inference`: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."
  value       = module.feature_store.role_statements
}
