# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

variable "account_id" {
  description = "Account of the resources."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an account."
  }
}

variable "deletion_protection" {
  description = "Refuse every plan that would delete or replace the data of this module. False allows `terraform destroy` to delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "existing_kms_key" {
  description = "Encrypt with this key instead of a new one. It is an object, so that the ARN may be unknown until apply."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_kms_key == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.existing_kms_key.arn))
    error_message = "existing_kms_key: arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }

  validation {
    condition = alltrue([
      for text in [for existing in var.existing_kms_key[*] : existing.arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:${var.region}:", text))
    ])
    error_message = "existing_kms_key: must be a key in Region ${var.region}."
  }
}

variable "extra_buckets" {
  description = "Additional buckets by purpose, which is the middle part of their name."
  type = map(object({
    events          = optional(bool, false)
    expiration_days = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.extra_buckets : item != null])
    error_message = "each of extra_buckets must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.extra_buckets : item.expiration_days == null ? true : item.expiration_days >= 1]), true)
    error_message = "extra_buckets: expiration_days must be at least 1."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.extra_buckets) : can(regex("^[a-z0-9][a-z0-9-]*[a-z0-9]$", key))]), true)
    error_message = "each key of extra_buckets must be lower-case letters, digits and hyphens."
  }

  validation {
    condition     = alltrue([for purpose in ["artifacts", "data", "logs"] : !contains(keys(var.extra_buckets), purpose)])
    error_message = "extra_buckets: must not contain artifacts, data, logs: these buckets exist already"
  }

  validation {
    condition = alltrue([
      for purpose in concat(["artifacts", "data", "logs"], keys(var.extra_buckets)) :
      length("${var.name_prefix}-${purpose}-${var.account_id}-${var.region}") <= 63
    ])
    error_message = "extra_buckets: the name of a bucket may have 63 characters: shorten name_prefix or this key"
  }
}

variable "intelligent_tiering_archive_days" {
  description = "Archive raw data after this number of days without access. A later read needs a restore of several hours. Null disables it."
  type        = number
  default     = null

  validation {
    condition     = var.intelligent_tiering_archive_days == null ? true : var.intelligent_tiering_archive_days >= 90 && var.intelligent_tiering_archive_days <= 730
    error_message = "intelligent_tiering_archive_days must be at least 90 and be at most 730."
  }
}

variable "lifecycle_days" {
  description = "Transitions and expirations of each class of data, in days."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for item in var.lifecycle_days : item != null])
    error_message = "lifecycle_days: a value must not be null; omit it."
  }

  validation {
    condition     = try(length(setsubtract(keys(var.lifecycle_days), ["artifacts_to_glacier", "async_inference", "captures", "checkpoints", "debug_output", "incomplete_uploads", "logs", "noncurrent", "recreatable", "recreatable_to_one_zone"])) == 0, true)
    error_message = "lifecycle_days: unknown: ${join(", ", setsubtract(keys(var.lifecycle_days), ["artifacts_to_glacier", "async_inference", "captures", "checkpoints", "debug_output", "incomplete_uploads", "logs", "noncurrent", "recreatable", "recreatable_to_one_zone"]))}; known: artifacts_to_glacier, async_inference, captures, checkpoints, debug_output, incomplete_uploads, logs, noncurrent, recreatable, recreatable_to_one_zone."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "artifacts_to_glacier", 90) >= 1, true)
    error_message = "lifecycle_days: artifacts_to_glacier must be at least 1."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "async_inference", 7) >= 1, true)
    error_message = "lifecycle_days: async_inference must be at least 1."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "captures", 30) >= 1, true)
    error_message = "lifecycle_days: captures must be at least 1."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "checkpoints", 14) >= 1, true)
    error_message = "lifecycle_days: checkpoints must be at least 1."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "debug_output", 14) >= 1, true)
    error_message = "lifecycle_days: debug_output must be at least 1."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "incomplete_uploads", 7) >= 1 && lookup(var.lifecycle_days, "incomplete_uploads", 7) <= 7, true)
    error_message = "lifecycle_days: incomplete_uploads must be at least 1 and be at most 7."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "logs", 90) >= 1, true)
    error_message = "lifecycle_days: logs must be at least 1."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "noncurrent", 30) >= 1, true)
    error_message = "lifecycle_days: noncurrent must be at least 1."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "recreatable", 90) >= 1, true)
    error_message = "lifecycle_days: recreatable must be at least 1."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "recreatable_to_one_zone", 30) >= 30, true)
    error_message = "lifecycle_days: recreatable_to_one_zone must be at least 30."
  }

  validation {
    condition     = try(lookup(var.lifecycle_days, "recreatable", 90) > lookup(var.lifecycle_days, "recreatable_to_one_zone", 30), true)
    error_message = "lifecycle_days.recreatable: must be more than recreatable_to_one_zone"
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

variable "partition" {
  description = "Partition of the account and of the Region. A plan refuses a wrong one, and names the right one."
  type        = string
  default     = "aws"
  nullable    = false

  validation {
    condition     = can(regex("^(aws|aws-cn|aws-us-gov)$", var.partition))
    error_message = "partition must be aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = !can(regex("^(aws|aws-cn|aws-us-gov)$", var.partition)) ? true : var.partition == (can(regex("^us-gov-", var.region)) ? "aws-us-gov" : (can(regex("^cn-", var.region)) ? "aws-cn" : "aws"))
    error_message = "partition: Region ${var.region} is in ${can(regex("^us-gov-", var.region)) ? "aws-us-gov" : (can(regex("^cn-", var.region)) ? "aws-cn" : "aws")}, not in ${var.partition}; set partition to ${can(regex("^us-gov-", var.region)) ? "aws-us-gov" : (can(regex("^cn-", var.region)) ? "aws-cn" : "aws")}, or another region."
  }
}

variable "reader_account_ids" {
  description = "Accounts that may read models/ in the artifacts bucket, and decrypt with the key of this module."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.reader_account_ids : can(regex("^[0-9]{12}$", item))])
    error_message = "each of reader_account_ids must be the 12 digits of an account."
  }

  validation {
    condition     = !contains(var.reader_account_ids, var.account_id)
    error_message = "reader_account_ids: must not contain ${var.account_id}, the account of the buckets; remove it."
  }
}

variable "region" {
  description = "Region of the resources."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"], var.region)
    error_message = "region must be a Region of the catalogue such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
  }
}

variable "storage_lens_export" {
  description = "Export the daily Storage Lens metrics to the logs bucket as Parquet."
  type        = bool
  default     = false
  nullable    = false
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

variable "verify_location" {
  description = "Read the identity and the Region of the provider, and warn if they are not account_id and region."
  type        = bool
  default     = false
  nullable    = false
}
