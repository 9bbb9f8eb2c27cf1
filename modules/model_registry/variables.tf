# Generated from module.py by smlops synth: change that, then run it again.

variable "account_id" {
  description = "Account of the resources."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an account."
  }
}

variable "approval_topic" {
  description = "SNS topic that receives every approval and rejection. Default: none."
  type = object({
    existing_role = optional(object({
      arn = string
    }))
    kms_key_arn = string
  })
  default = null

  validation {
    condition     = var.approval_topic == null ? true : var.approval_topic.existing_role == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.approval_topic.existing_role.arn))
    error_message = "approval_topic: existing_role: arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = var.approval_topic == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.approval_topic.kms_key_arn))
    error_message = "approval_topic: kms_key_arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }
}

variable "deletion_protection" {
  description = "Reject every plan that would delete or replace the data of this module. False allows `terraform destroy` to delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "model_package_groups" {
  description = "Model package groups by key; the group of key flight_delay is named `<name_prefix>-flight-delay`."
  type = map(object({
    description        = optional(string)
    reader_account_ids = optional(list(string), [])
  }))
  nullable = false

  validation {
    condition     = alltrue([for item in var.model_package_groups : alltrue([for item2 in item.reader_account_ids : can(regex("^[0-9]{12}$", item2))])])
    error_message = "each of model_package_groups: reader_account_ids must be the 12 digits of an account."
  }

  validation {
    condition     = alltrue([for key in keys(var.model_package_groups) : can(regex("^[a-z][a-z0-9_]{0,28}[a-z0-9]$", key))])
    error_message = "each key of model_package_groups must be 2 to 30 lower-case letters, digits and underscores; in the group's name they become hyphens."
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

variable "partition" {
  description = "Partition of the account: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
  nullable    = false

  validation {
    condition     = can(regex("^(aws|aws-cn|aws-us-gov)$", var.partition))
    error_message = "partition must be aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = !can(regex("^(aws|aws-cn|aws-us-gov)$", var.partition)) ? true : var.partition == (can(regex("^us-gov-", var.region)) ? "aws-us-gov" : (can(regex("^cn-", var.region)) ? "aws-cn" : "aws"))
    error_message = "partition: ${var.region} is a Region of ${can(regex("^us-gov-", var.region)) ? "aws-us-gov" : (can(regex("^cn-", var.region)) ? "aws-cn" : "aws")}, not of ${var.partition}; set both alike."
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
  description = "Region of the resources."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(us-gov|[a-z]{2})-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[0-9]$", var.region))
    error_message = "region must be a Region such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
  }
}

variable "role_path" {
  description = "IAM path of the roles that this module creates, such as /mlops/."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]+/)?$", var.role_path))
    error_message = "role_path must start and end with a slash."
  }
}

variable "tags" {
  description = "Tags of every resource, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
