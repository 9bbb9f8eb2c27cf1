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

variable "approval_topic" {
  description = "SNS topic that receives every approval and rejection. Default: none."
  type = object({
    existing_role = optional(object({
      arn = string
    }))
    kms_key_arn = string
    subscribers = optional(map(object({
      protocol = string
      endpoint = string
    })), {})
  })
  default = null

  validation {
    condition     = var.approval_topic == null ? true : var.approval_topic.subscribers == null ? true : alltrue([for item in var.approval_topic.subscribers : item != null])
    error_message = "each of approval_topic: subscribers must not be null."
  }

  validation {
    condition     = var.approval_topic == null ? true : var.approval_topic.subscribers == null ? true : alltrue([for item in var.approval_topic.subscribers : item == null ? true : item.protocol != null && item.endpoint != null])
    error_message = "approval_topic: subscribers: protocol and endpoint must not be null."
  }

  validation {
    condition     = var.approval_topic == null ? true : try(var.approval_topic.existing_role == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.approval_topic.existing_role.arn)), true)
    error_message = "approval_topic: existing_role: arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = var.approval_topic == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.approval_topic.kms_key_arn))
    error_message = "approval_topic: kms_key_arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }

  validation {
    condition     = var.approval_topic == null ? true : try(alltrue([for item in var.approval_topic.subscribers : contains(["email", "https", "lambda", "sqs"], item.protocol)]), true)
    error_message = "approval_topic: subscribers: protocol must be one of \"email\", \"https\", \"lambda\", \"sqs\"."
  }

  validation {
    condition     = var.approval_topic == null ? true : try(alltrue([for key in keys(var.approval_topic.subscribers) : can(regex("^[a-z][a-z0-9_]{0,62}$", key))]), true)
    error_message = "each key of approval_topic: subscribers must be 1 to 63 lower-case letters, digits and underscores, starting with a letter."
  }

  validation {
    condition = alltrue([
      for text in [for topic in var.approval_topic[*] : topic.kms_key_arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:${var.region}:", text))
    ])
    error_message = "approval_topic: must be a key in Region ${var.region}."
  }

  validation {
    condition = alltrue([
      for text in flatten([for topic in var.approval_topic[*] : [for role in topic.existing_role[*] : role.arn]]) :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "approval_topic: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
  }

  validation {
    condition     = try(var.approval_topic == null ? true : length(distinct([for key, subscriber in var.approval_topic.subscribers : subscriber.endpoint])) == length(var.approval_topic.subscribers), true)
    error_message = "approval_topic.subscribers: two subscribers have the same endpoint, which SNS subscribes once; remove one."
  }

  validation {
    condition = try(var.approval_topic == null ? true : alltrue([
      for key, item in var.approval_topic.subscribers :
      can(regex("^(email [^@\\s]+@[^@\\s]+\\.[^@\\s]+|https https://\\S+|lambda arn:(aws|aws-cn|aws-us-gov):lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?|sqs arn:(aws|aws-cn|aws-us-gov):sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)$", "${item.protocol} ${item.endpoint}"))
    ]), true)
    error_message = try(var.approval_topic == null ? "" : join("; ", [for key, item in var.approval_topic.subscribers : "approval_topic.subscribers.${key}.endpoint: ${item.endpoint} does not fit protocol ${item.protocol}; use an address such as ml-team@example.com for email, an https:// address for https, the ARN of a function for lambda, or the ARN of a standard queue for sqs." if !can(regex("^(email [^@\\s]+@[^@\\s]+\\.[^@\\s]+|https https://\\S+|lambda arn:(aws|aws-cn|aws-us-gov):lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?|sqs arn:(aws|aws-cn|aws-us-gov):sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)$", "${item.protocol} ${item.endpoint}"))]), "")
  }
}

variable "deletion_protection" {
  description = "Refuse every plan that would delete or replace the data of this module. False allows `terraform destroy` to delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "delivery" {
  description = "Pipeline of GitHub or GitLab that every approval starts. Default: none."
  type = object({
    connection_arn = string
    existing_role = optional(object({
      arn = string
    }))
    github = optional(object({
      api_url    = optional(string, "https://api.github.com")
      event_type = optional(string, "model-approved")
      repository = string
    }))
    gitlab = optional(object({
      api_url    = optional(string, "https://gitlab.com/api/v4")
      project_id = string
      ref        = optional(string, "main")
    }))
  })
  default = null

  validation {
    condition     = var.delivery == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):events:[a-z0-9-]+:[0-9]{12}:connection/[._A-Za-z0-9-]+/[A-Za-z0-9-]+$", var.delivery.connection_arn))
    error_message = "delivery: connection_arn must be the ARN of an EventBridge connection (arn:aws:events:…:connection/NAME/ID)."
  }

  validation {
    condition     = var.delivery == null ? true : var.delivery.existing_role == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.delivery.existing_role.arn))
    error_message = "delivery: existing_role: arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = var.delivery == null ? true : var.delivery.github == null ? true : can(regex("^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*$", var.delivery.github.api_url))
    error_message = "delivery: github: api_url must be an address that starts with https:// and has no slash at its end."
  }

  validation {
    condition     = var.delivery == null ? true : var.delivery.github == null ? true : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", var.delivery.github.event_type))
    error_message = "delivery: github: event_type must be 1 to 100 letters, digits, dots, hyphens and underscores."
  }

  validation {
    condition     = var.delivery == null ? true : var.delivery.github == null ? true : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.delivery.github.repository))
    error_message = "delivery: github: repository must be the owner and the name of a repository, such as acme/flights."
  }

  validation {
    condition     = var.delivery == null ? true : var.delivery.gitlab == null ? true : can(regex("^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*$", var.delivery.gitlab.api_url))
    error_message = "delivery: gitlab: api_url must be an address that starts with https:// and has no slash at its end."
  }

  validation {
    condition     = var.delivery == null ? true : var.delivery.gitlab == null ? true : can(regex("^[0-9]+$", var.delivery.gitlab.project_id))
    error_message = "delivery: gitlab: project_id must be the number of a project, such as 4711."
  }

  validation {
    condition     = var.delivery == null ? true : var.delivery.gitlab == null ? true : can(regex("^[A-Za-z0-9._/-]{1,255}$", var.delivery.gitlab.ref))
    error_message = "delivery: gitlab: ref must be 1 to 255 letters, digits, dots, slashes, hyphens and underscores."
  }

  validation {
    condition = alltrue([
      for text in [for delivery in var.delivery[*] : delivery.connection_arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):events:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):events:${var.region}:${var.account_id}:", text))
    ])
    error_message = "delivery: must be a connection of account ${var.account_id} in Region ${var.region}."
  }

  validation {
    condition = alltrue([
      for text in flatten([for delivery in var.delivery[*] : [for role in delivery.existing_role[*] : role.arn]]) :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "delivery: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
  }

  validation {
    condition     = try(var.delivery == null ? true : (nonsensitive(var.delivery.github == null) ? true : nonsensitive(var.delivery.gitlab == null)), true)
    error_message = "delivery.github: github and gitlab exclude each other; remove one of them."
  }

  validation {
    condition     = try(var.delivery == null ? true : (!nonsensitive(var.delivery.github == null) ? true : !nonsensitive(var.delivery.gitlab == null)), true)
    error_message = "delivery.github: set github or gitlab, so that an approval has a pipeline to start."
  }
}

variable "model_package_groups" {
  description = "Model package groups by key; the group of key flight_delay is named `<name_prefix>-flight-delay`."
  type = map(object({
    description        = optional(string)
    reader_account_ids = optional(list(string), [])
  }))
  nullable = false

  validation {
    condition     = alltrue([for item in var.model_package_groups : item != null])
    error_message = "each of model_package_groups must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.model_package_groups : alltrue([for item2 in item.reader_account_ids : can(regex("^[0-9]{12}$", item2))])]), true)
    error_message = "each of model_package_groups: reader_account_ids must be the 12 digits of an account."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.model_package_groups) : can(regex("^[a-z][a-z0-9_]{0,28}[a-z0-9]$", key))]), true)
    error_message = "each key of model_package_groups must be 2 to 30 lower-case letters, digits and underscores; in the group's name they become hyphens."
  }

  validation {
    condition = alltrue([
      for group in var.model_package_groups : !contains(group.reader_account_ids, var.account_id)
    ])
    error_message = "model_package_groups: reader_account_ids must not contain ${var.account_id}, the account of the groups; remove it."
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
    condition     = contains(["af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"], var.region)
    error_message = "region must be a Region of the catalogue such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
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
