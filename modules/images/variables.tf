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

variable "kms_key_arn" {
  description = "KMS key of the images. It cannot change later."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }

  validation {
    condition = alltrue([
      for text in var.kms_key_arn[*] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:${var.region}:", text))
    ])
    error_message = "kms_key_arn: must be a key in Region ${var.region}."
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

  validation {
    condition     = !can(regex("--", var.name_prefix))
    error_message = "name_prefix: must not contain two hyphens in a row, which ECR refuses."
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

variable "region" {
  description = "Region of the resources."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"], var.region)
    error_message = "region must be a Region of the catalogue such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
  }
}

variable "replicate_from_account_ids" {
  description = "Accounts that may replicate images into these repositories. It sets the policy of the registry."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.replicate_from_account_ids : can(regex("^[0-9]{12}$", item))])
    error_message = "each of replicate_from_account_ids must be the 12 digits of an account."
  }

  validation {
    condition     = !contains(var.replicate_from_account_ids, var.account_id)
    error_message = "replicate_from_account_ids: must not contain ${var.account_id}, the account of the repositories; remove it."
  }
}

variable "replicate_to" {
  description = "Registries that receive a copy of every new image. It sets the replication of the whole registry."
  type = list(object({
    account_id = string
    region     = string
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for item in var.replicate_to : item != null])
    error_message = "each of replicate_to must not be null."
  }

  validation {
    condition     = alltrue([for item in var.replicate_to : item == null ? true : item.region != null])
    error_message = "replicate_to: region must not be null."
  }

  validation {
    condition     = length(var.replicate_to) <= 25
    error_message = "replicate_to must hold at most 25."
  }

  validation {
    condition     = try(alltrue([for item in var.replicate_to : can(regex("^[0-9]{12}$", item.account_id))]), true)
    error_message = "replicate_to: account_id must be the 12 digits of an account."
  }

  validation {
    condition     = try(alltrue([for item in var.replicate_to : contains(["af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"], item.region)]), true)
    error_message = "replicate_to: region must be a Region of the catalogue such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition = alltrue([
      for registry in var.replicate_to :
      registry.account_id != var.account_id ? true : registry.region != var.region
    ])
    error_message = "replicate_to: must not contain the registry of these repositories; remove it."
  }
}

variable "repositories" {
  description = "Repositories by key; the repository of key flight_delay is named `<name_prefix>/flight-delay`."
  type = map(object({
    expire_untagged_after_days = optional(number, 7)
    reader_account_ids         = optional(list(string), [])
    temporary_images = optional(object({
      expire_after_days = optional(number, 14)
      tag_prefixes      = list(string)
    }))
  }))
  nullable = false

  validation {
    condition     = alltrue([for item in var.repositories : item != null])
    error_message = "each of repositories must not be null."
  }

  validation {
    condition     = alltrue([for item in var.repositories : item == null ? true : item.temporary_images == null ? true : item.temporary_images.tag_prefixes != null])
    error_message = "repositories: temporary_images: tag_prefixes must not be null."
  }

  validation {
    condition     = length(var.repositories) >= 1
    error_message = "repositories must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.repositories : item.expire_untagged_after_days >= 1]), true)
    error_message = "repositories: expire_untagged_after_days must be at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.repositories : alltrue([for item2 in item.reader_account_ids : can(regex("^[0-9]{12}$", item2))])]), true)
    error_message = "each of repositories: reader_account_ids must be the 12 digits of an account."
  }

  validation {
    condition     = try(alltrue([for item in var.repositories : item.temporary_images == null ? true : item.temporary_images.expire_after_days >= 1]), true)
    error_message = "repositories: temporary_images: expire_after_days must be at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.repositories : item.temporary_images == null ? true : length(item.temporary_images.tag_prefixes) >= 1 && length(item.temporary_images.tag_prefixes) <= 10]), true)
    error_message = "repositories: temporary_images: tag_prefixes must hold at least 1 and hold at most 10."
  }

  validation {
    condition     = try(alltrue([for item in var.repositories : item.temporary_images == null ? true : alltrue([for item2 in item.temporary_images.tag_prefixes : can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", item2))])]), true)
    error_message = "each of repositories: temporary_images: tag_prefixes must be a tag prefix such as pr- or dev-."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.repositories) : can(regex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$", key))]), true)
    error_message = "each key of repositories must be lower-case letters, digits and single underscores, which become hyphens in the repository's name."
  }

  validation {
    condition     = alltrue([for one in var.repositories : !contains(one.reader_account_ids, var.account_id)])
    error_message = "repositories: reader_account_ids must not contain ${var.account_id}, the account of the repositories; remove it."
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

variable "verify_location" {
  description = "Read the identity and the Region of the provider, and warn if they are not account_id and region."
  type        = bool
  default     = false
  nullable    = false
}
