# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

output "url" {
  description = "Address of Studio."
  value       = module.studio.url
}

output "domain_arn" {
  description = "ARN of the domain."
  value       = module.studio.domain_arn
}

output "domain_id" {
  description = "ID of the domain."
  value       = module.studio.domain_id
}

output "file_system_id" {
  description = "File system with the home directories."
  value       = module.studio.file_system_id
}

output "user_profile_arns" {
  description = "User profiles by name."
  value       = module.studio.user_profile_arns
}
