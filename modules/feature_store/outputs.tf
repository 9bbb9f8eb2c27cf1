# Generated from module.py by scripts/synth.py: change that, then run it again.

output "feature_groups" {
  description = "Feature groups by key: name, arn, offline_s3_uri (where the data is), online, and the declared features (name to type), which smlops evolve reads."

  value = {
    for key, group in aws_sagemaker_feature_group.this : key => {
      name           = group.feature_group_name
      arn            = group.arn
      offline_s3_uri = group.offline_store_config[0].s3_storage_config[0].resolved_output_s3_uri
      online         = var.feature_groups[key].online != null
      features       = { for name, feature in var.feature_groups[key].features : name => feature.type }
    }
  }
}
