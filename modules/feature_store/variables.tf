# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

variable "account_id" {
  description = "Account of the resources. Default: the account of kms_key_arn."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null ? true : can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an account."
  }
}

variable "deletion_protection" {
  description = "Refuse every plan that would delete or replace the data of this module. False allows `terraform destroy` to delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "feature_groups" {
  description = "Feature groups by key; the group of key flight_delay is named `<name_prefix>-flight-delay`."
  type = map(object({
    record_identifier = string
    event_time        = string
    features = map(object({
      type = string
    }))
    description = optional(string)
    online = optional(object({
      ttl = optional(object({
        unit  = optional(string, "Days")
        value = optional(number, 30)
      }), {})
    }))
  }))
  nullable = false

  validation {
    condition     = alltrue([for item in var.feature_groups : item != null])
    error_message = "each of feature_groups must not be null."
  }

  validation {
    condition     = alltrue([for item in var.feature_groups : item == null ? true : item.record_identifier != null && item.event_time != null && item.features != null])
    error_message = "feature_groups: record_identifier, event_time and features must not be null."
  }

  validation {
    condition     = alltrue([for item in var.feature_groups : item == null ? true : item.features == null ? true : alltrue([for item2 in item.features : item2 != null])])
    error_message = "each of feature_groups: features must not be null."
  }

  validation {
    condition     = alltrue([for item in var.feature_groups : item == null ? true : item.features == null ? true : alltrue([for item2 in item.features : item2 == null ? true : item2.type != null])])
    error_message = "feature_groups: features: type must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.feature_groups : alltrue([for item2 in item.features : contains(["Integral", "Fractional", "String"], item2.type)])]), true)
    error_message = "feature_groups: features: type must be one of \"Integral\", \"Fractional\", \"String\"."
  }

  validation {
    condition     = try(alltrue([for item in var.feature_groups : alltrue([for key in keys(item.features) : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,62}[a-zA-Z0-9])?$", key))])]), true)
    error_message = "each key of feature_groups: features must be 1 to 64 letters, digits, underscores and hyphens, with a letter or digit at both ends."
  }

  validation {
    condition     = try(alltrue([for item in var.feature_groups : item.online == null ? true : contains(["Seconds", "Minutes", "Hours", "Days", "Weeks"], item.online.ttl.unit)]), true)
    error_message = "feature_groups: online: ttl: unit must be one of \"Seconds\", \"Minutes\", \"Hours\", \"Days\", \"Weeks\"."
  }

  validation {
    condition     = try(alltrue([for item in var.feature_groups : item.online == null ? true : item.online.ttl.value >= 1]), true)
    error_message = "feature_groups: online: ttl: value must be at least 1."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.feature_groups) : can(regex("^[a-z][a-z0-9_]{0,37}[a-z0-9]$", key))]), true)
    error_message = "each key of feature_groups must be 2 to 39 lower-case letters, digits and underscores; in the group's name they become hyphens."
  }

  validation {
    condition = try(alltrue([
      for key, item in var.feature_groups :
      contains(keys(item.features), item.event_time) ? contains(["String", "Fractional"], item.features[item.event_time].type) : false
    ]), true)
    error_message = try(join("; ", [for key, item in var.feature_groups : "feature_groups.${key}.event_time: '${item.event_time}' must be one of its features, of type String or Fractional" if !(contains(keys(item.features), item.event_time) ? contains(["String", "Fractional"], item.features[item.event_time].type) : false)]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.feature_groups :
      contains(keys(item.features), item.record_identifier) ? contains(["String", "Integral"], item.features[item.record_identifier].type) : false
    ]), true)
    error_message = try(join("; ", [for key, item in var.feature_groups : "feature_groups.${key}.record_identifier: '${item.record_identifier}' must be one of its features, of type String or Integral" if !(contains(keys(item.features), item.record_identifier) ? contains(["String", "Integral"], item.features[item.record_identifier].type) : false)]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.feature_groups : alltrue([
        for name in ["api_invocation_time", "is_deleted", "write_time"] : !contains(keys(item.features), name)
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.feature_groups : "feature_groups.${key}.features: Feature Store reserves api_invocation_time, is_deleted, write_time; choose other names" if !alltrue([for name in ["api_invocation_time", "is_deleted", "write_time"] : !contains(keys(item.features), name)])]), "")
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts both stores."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }

  validation {
    condition = alltrue([
      for text in var.kms_key_arn[*] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}:", text))
    ])
    error_message = "kms_key_arn: must be a key in Region ${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}."
  }
}

variable "name_prefix" {
  description = "Start of every name: 3 to 24 lower-case letters, digits and hyphens."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must be 3 to 24 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "offline_store_s3_uri" {
  description = "S3 prefix of the offline stores: s3://bucket/prefix. It cannot change later."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^*?]*[^/*?])?$", var.offline_store_s3_uri))
    error_message = "offline_store_s3_uri must be s3://bucket or s3://bucket/prefix, without wildcards or a slash at its end."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the roles that this module creates."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of an IAM policy (arn:aws:iam::…:policy/…) in partition aws, aws-cn or aws-us-gov."
  }
}

variable "region" {
  description = "Region of the resources. Default: the Region of kms_key_arn."
  type        = string
  default     = null

  validation {
    condition     = var.region == null ? true : contains(["af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"], var.region)
    error_message = "region must be a Region of the catalogue such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
  }
}

variable "role_arn" {
  description = "Role that Feature Store writes the offline store with. It cannot change later."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = !can(split(":", var.role_arn)[4]) ? true : (!can(split(":", var.kms_key_arn)[4]) ? true : split(":", var.role_arn)[4] == coalesce(var.account_id, split(":", var.kms_key_arn)[4]))
    error_message = "role_arn: must be a role of account_id; without account_id, of the account of kms_key_arn"
  }
}

variable "role_path" {
  description = "IAM path of the roles that this module creates."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]+/)?$", var.role_path))
    error_message = "role_path must be a path that starts and ends with a slash, such as /mlops/."
  }
}

variable "table_optimizers" {
  description = "Let AWS Glue compact the Iceberg tables, and delete their old snapshots and files. Default: none."
  type = object({
    compaction = optional(bool, true)
    existing_role = optional(object({
      arn = string
    }))
    orphan_file_deletion = optional(object({
      days = optional(number, 3)
    }))
    retention = optional(object({
      days          = optional(number, 5)
      min_snapshots = optional(number, 1)
    }))
  })
  default = null

  validation {
    condition     = var.table_optimizers == null ? true : var.table_optimizers.existing_role == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.table_optimizers.existing_role.arn))
    error_message = "table_optimizers: existing_role: arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = var.table_optimizers == null ? true : var.table_optimizers.orphan_file_deletion == null ? true : var.table_optimizers.orphan_file_deletion.days >= 3
    error_message = "table_optimizers: orphan_file_deletion: days must be at least 3."
  }

  validation {
    condition     = var.table_optimizers == null ? true : var.table_optimizers.retention == null ? true : var.table_optimizers.retention.days >= 1
    error_message = "table_optimizers: retention: days must be at least 1."
  }

  validation {
    condition     = var.table_optimizers == null ? true : var.table_optimizers.retention == null ? true : var.table_optimizers.retention.min_snapshots >= 1
    error_message = "table_optimizers: retention: min_snapshots must be at least 1."
  }

  validation {
    condition = alltrue([
      for role in flatten([
        for optimizers in var.table_optimizers[*] : [for role in optimizers.existing_role[*] : role.arn]
      ]) :
      !can(split(":", role)[4]) ? true : (!can(split(":", var.kms_key_arn)[4]) ? true : split(":", role)[4] == coalesce(var.account_id, split(":", var.kms_key_arn)[4]))
    ])
    error_message = "table_optimizers: must be a role of account_id; without account_id, of the account of kms_key_arn"
  }

  validation {
    condition     = try(var.table_optimizers == null ? true : (var.table_optimizers.compaction ? true : (var.table_optimizers.retention != null ? true : var.table_optimizers.orphan_file_deletion != null)), true)
    error_message = "table_optimizers.compaction: without compaction, retention and orphan_file_deletion, nothing is optimized; set one of them."
  }
}

variable "tags" {
  description = "Tags of every resource, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for item in var.tags : length(item) <= 256])
    error_message = "each of tags must be at most 256 characters."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : can(regex("^.{1,128}$", key))])
    error_message = "each key of tags must be 1 to 128 characters."
  }

  validation {
    condition     = alltrue([for key in keys(var.tags) : !can(regex("(?i)^aws:", key))])
    error_message = "tags: AWS reserves keys that begin with aws:; choose another key."
  }
}
