# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

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

output "tracking_server_arn" {
  description = "ARN of the tracking server, which MLflow takes as its tracking URI; null without one."
  value       = module.studio.tracking_server_arn
}

output "tracking_server_url" {
  description = "Address of the tracking server; null without one."
  value       = module.studio.tracking_server_url
}

output "url" {
  description = "Address of Studio."
  value       = module.studio.url
}

output "user_profile_arns" {
  description = "User profiles by name."
  value       = module.studio.user_profile_arns
}
