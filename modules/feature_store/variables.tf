# Generated from module.py by smlops synth: change that, then run it again.

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
  description = "Reject every plan that would delete or replace the data of this module. False allows `terraform destroy` to delete it."
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
    condition     = alltrue([for item in var.feature_groups : alltrue([for item2 in item.features : contains(["Integral", "Fractional", "String"], item2.type)])])
    error_message = "feature_groups: features: type must be one of \"Integral\", \"Fractional\", \"String\"."
  }

  validation {
    condition     = alltrue([for item in var.feature_groups : alltrue([for key in keys(item.features) : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,62}[a-zA-Z0-9])?$", key))])])
    error_message = "each key of feature_groups: features must be 1 to 64 letters, digits, underscores and hyphens, with a letter or digit at both ends."
  }

  validation {
    condition     = alltrue([for item in var.feature_groups : item.online == null ? true : contains(["Seconds", "Minutes", "Hours", "Days", "Weeks"], item.online.ttl.unit)])
    error_message = "feature_groups: online: ttl: unit must be one of \"Seconds\", \"Minutes\", \"Hours\", \"Days\", \"Weeks\"."
  }

  validation {
    condition     = alltrue([for item in var.feature_groups : item.online == null ? true : item.online.ttl.value >= 1])
    error_message = "feature_groups: online: ttl: value must be at least 1."
  }

  validation {
    condition     = alltrue([for key in keys(var.feature_groups) : can(regex("^[a-z][a-z0-9_]{0,37}[a-z0-9]$", key))])
    error_message = "each key of feature_groups must be 2 to 39 lower-case letters, digits and underscores; in the group's name they become hyphens."
  }

  validation {
    condition = alltrue([
      for key, item in var.feature_groups :
      contains(keys(item.features), item.event_time) ? contains(["String", "Fractional"], item.features[item.event_time].type) : false
    ])
    error_message = join("; ", [for key, item in var.feature_groups : "feature_groups.${key}.event_time: '${item.event_time}' must be one of its features, of type String or Fractional" if !(contains(keys(item.features), item.event_time) ? contains(["String", "Fractional"], item.features[item.event_time].type) : false)])
  }

  validation {
    condition = alltrue([
      for key, item in var.feature_groups :
      contains(keys(item.features), item.record_identifier) ? contains(["String", "Integral"], item.features[item.record_identifier].type) : false
    ])
    error_message = join("; ", [for key, item in var.feature_groups : "feature_groups.${key}.record_identifier: '${item.record_identifier}' must be one of its features, of type String or Integral" if !(contains(keys(item.features), item.record_identifier) ? contains(["String", "Integral"], item.features[item.record_identifier].type) : false)])
  }

  validation {
    condition = alltrue([
      for key, item in var.feature_groups : alltrue([
        for name in ["api_invocation_time", "is_deleted", "write_time"] : !contains(keys(item.features), name)
      ])
    ])
    error_message = join("; ", [for key, item in var.feature_groups : "feature_groups.${key}.features: Feature Store reserves api_invocation_time, is_deleted, write_time; choose other names" if !alltrue([for name in ["api_invocation_time", "is_deleted", "write_time"] : !contains(keys(item.features), name)])])
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
}

variable "name_prefix" {
  description = "Start of every name: 3 to 24 lower-case letters, digits and hyphens."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must be 3 to 24 lower-case letters, digits and hyphens, and start with a letter."
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

variable "region" {
  description = "Region of the resources. Default: the Region of kms_key_arn."
  type        = string
  default     = null

  validation {
    condition     = var.region == null ? true : can(regex("^(us-gov|[a-z]{2})-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[0-9]$", var.region))
    error_message = "region must be a Region such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
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

variable "tags" {
  description = "Tags of every resource, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
