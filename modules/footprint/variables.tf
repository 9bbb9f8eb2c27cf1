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

variable "anomaly_detection" {
  description = "Detect unusual costs of each service of the account. Default: none."
  type = object({
    existing_monitor = optional(object({
      arn = string
    }))
    minimum_impact_usd = optional(number, 10)
  })
  default = null

  validation {
    condition     = var.anomaly_detection == null ? true : var.anomaly_detection.existing_monitor == null ? true : can(regex("^arn:aws:ce::[0-9]{12}:anomalymonitor/.+$", var.anomaly_detection.existing_monitor.arn))
    error_message = "anomaly_detection: existing_monitor: arn must be the ARN of an anomaly monitor (arn:aws:ce::…:anomalymonitor/…)."
  }

  validation {
    condition     = var.anomaly_detection == null ? true : var.anomaly_detection.minimum_impact_usd >= 0
    error_message = "anomaly_detection: minimum_impact_usd must be at least 0."
  }
}

variable "budgets" {
  description = "Monthly budgets by workload, which is the value of its tag."
  type = map(object({
    actual_percent    = optional(list(number), [80, 100])
    forecast_percent  = optional(list(number), [100])
    monthly_limit_usd = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.budgets : item != null])
    error_message = "each of budgets must not be null."
  }

  validation {
    condition     = alltrue([for item in var.budgets : item == null ? true : item.monthly_limit_usd != null])
    error_message = "budgets: monthly_limit_usd must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.budgets : length(item.actual_percent) <= 5]), true)
    error_message = "budgets: actual_percent must hold at most 5."
  }

  validation {
    condition     = try(alltrue([for item in var.budgets : alltrue([for item2 in item.actual_percent : item2 >= 1 && item2 <= 1000])]), true)
    error_message = "each of budgets: actual_percent must be at least 1 and be at most 1000."
  }

  validation {
    condition     = try(alltrue([for item in var.budgets : length(item.forecast_percent) <= 5]), true)
    error_message = "budgets: forecast_percent must hold at most 5."
  }

  validation {
    condition     = try(alltrue([for item in var.budgets : alltrue([for item2 in item.forecast_percent : item2 >= 1 && item2 <= 1000])]), true)
    error_message = "each of budgets: forecast_percent must be at least 1 and be at most 1000."
  }

  validation {
    condition     = try(alltrue([for item in var.budgets : item.monthly_limit_usd >= 1]), true)
    error_message = "budgets: monthly_limit_usd must be at least 1."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.budgets) : can(regex("^[A-Za-z0-9_.@+=-]{1,64}$", key))]), true)
    error_message = "each key of budgets must be 1 to 64 letters, digits and the characters _ . @ + = -, as in the tags."
  }

  validation {
    condition = alltrue([
      for budget in var.budgets : length(budget.actual_percent) + length(budget.forecast_percent) > 0
    ])
    error_message = "budgets: a budget needs at least one of actual_percent and forecast_percent; otherwise it notifies nobody"
  }
}

variable "carbon_export" {
  description = "Delivery of the account's carbon figures to the bucket."
  type = object({
    expire_after_days   = optional(number)
    keep_every_delivery = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.carbon_export.expire_after_days == null ? true : var.carbon_export.expire_after_days >= 1
    error_message = "carbon_export: expire_after_days must be at least 1."
  }
}

variable "cost_allocation_tags" {
  description = "Tag keys to activate for costs. Only the payer account can activate one, once a bill has it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.cost_allocation_tags : can(regex("^.{1,128}$", item))])
    error_message = "each of cost_allocation_tags must be 1 to 128 characters."
  }
}

variable "deletion_protection" {
  description = "Refuse every plan that would delete or replace the data of this module. False allows `terraform destroy` to delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "existing_kms_key" {
  description = "Encrypt the topic with this key instead of a new one. It is an object, so that the ARN may be unknown until apply."
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

variable "name_prefix" {
  description = "Start of every name: 3 to 24 lower-case letters, digits and hyphens."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must be 3 to 24 lower-case letters, digits and hyphens, starting with a letter."
  }

  validation {
    condition     = length("${var.name_prefix}-carbon-${var.account_id}-${var.region}") <= 63
    error_message = "name_prefix: the name of the bucket may have 63 characters: shorten name_prefix"
  }
}

variable "notify_emails" {
  description = "Email addresses that AWS notifies directly, in addition to the topic."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.notify_emails) <= 10
    error_message = "notify_emails must hold at most 10."
  }

  validation {
    condition     = alltrue([for item in var.notify_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", item))])
    error_message = "each of notify_emails must be an email address."
  }
}

variable "partition" {
  description = "Partition of the account. AWS reports carbon only in aws."
  type        = string
  default     = "aws"
  nullable    = false

  validation {
    condition     = can(regex("^aws$", var.partition))
    error_message = "partition must be aws: AWS has no carbon figures of the partitions aws-cn and aws-us-gov."
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

variable "subscribers" {
  description = "Subscribers of the topic, by a key of your choice. Default: none."
  type = map(object({
    protocol = string
    endpoint = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.subscribers : item != null])
    error_message = "each of subscribers must not be null."
  }

  validation {
    condition     = alltrue([for item in var.subscribers : item == null ? true : item.protocol != null && item.endpoint != null])
    error_message = "subscribers: protocol and endpoint must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.subscribers : contains(["email", "https", "lambda", "sqs"], item.protocol)]), true)
    error_message = "subscribers: protocol must be one of \"email\", \"https\", \"lambda\", \"sqs\"."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.subscribers) : can(regex("^[a-z][a-z0-9_]{0,62}$", key))]), true)
    error_message = "each key of subscribers must be 1 to 63 lower-case letters, digits and underscores, starting with a letter."
  }

  validation {
    condition     = length(distinct([for key, subscriber in var.subscribers : subscriber.endpoint])) == length(var.subscribers)
    error_message = "subscribers: two subscribers have the same endpoint, which SNS subscribes once; remove one."
  }

  validation {
    condition = try(alltrue([
      for key, item in var.subscribers :
      can(regex("^(email [^@\\s]+@[^@\\s]+\\.[^@\\s]+|https https://\\S+|lambda arn:(aws|aws-cn|aws-us-gov):lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?|sqs arn:(aws|aws-cn|aws-us-gov):sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)$", "${item.protocol} ${item.endpoint}"))
    ]), true)
    error_message = try(join("; ", [for key, item in var.subscribers : "subscribers.${key}.endpoint: ${item.endpoint} does not fit protocol ${item.protocol}; use an address such as ml-team@example.com for email, an https:// address for https, the ARN of a function for lambda, or the ARN of a standard queue for sqs." if !can(regex("^(email [^@\\s]+@[^@\\s]+\\.[^@\\s]+|https https://\\S+|lambda arn:(aws|aws-cn|aws-us-gov):lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?|sqs arn:(aws|aws-cn|aws-us-gov):sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)$", "${item.protocol} ${item.endpoint}"))]), "")
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

variable "workload_tag_key" {
  description = "Key of the tag that names the workload of a resource."
  type        = string
  default     = "workload"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.:/=+@-]{1,128}$", var.workload_tag_key))
    error_message = "workload_tag_key must be 1 to 128 letters, digits and the characters _ . : / = + @ -."
  }
}
