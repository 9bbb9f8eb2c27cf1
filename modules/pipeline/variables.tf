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

variable "data_arrival" {
  description = "Start the pipeline when an object arrives in S3. Default: no trigger."
  type = object({
    bucket        = string
    key_parameter = optional(string, "InputKey")
    key_prefix    = string
    key_suffixes  = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.data_arrival == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.data_arrival.bucket))
    error_message = "data_arrival: bucket must be the name of a bucket, without s3:// or a path."
  }

  validation {
    condition     = var.data_arrival == null ? true : can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", var.data_arrival.key_parameter))
    error_message = "data_arrival: key_parameter must be a parameter name with letters, digits and hyphens, as EventBridge requires."
  }

  validation {
    condition     = var.data_arrival == null ? true : can(regex("^[^*\\\\]+$", var.data_arrival.key_prefix))
    error_message = "data_arrival: key_prefix must be a literal part of a key, without wildcards or backslashes."
  }

  validation {
    condition     = var.data_arrival == null ? true : alltrue([for item in var.data_arrival.key_suffixes : can(regex("^[^*\\\\]+$", item))])
    error_message = "each of data_arrival: key_suffixes must be a literal part of a key, without wildcards or backslashes."
  }

  validation {
    condition     = var.data_arrival == null ? true : (!can(jsondecode(var.definition).Version) ? true : contains([for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name], var.data_arrival.key_parameter))
    error_message = "data_arrival: key_parameter must be a parameter of the definition, which declares ${join(", ", [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name])}"
  }
}

variable "definition" {
  description = "Definition of the pipeline as JSON, from Pipeline.definition() of the SageMaker SDK."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.definition))
    error_message = "definition: must be JSON: use the text that Pipeline.definition() returns, or file(…) with it"
  }

  validation {
    condition     = !can(jsondecode(var.definition)) ? true : (can(jsondecode(var.definition).Version) ? can(jsondecode(var.definition).Steps[0].Type) : false)
    error_message = "definition: must have Version and at least one of Steps; use the definition of a pipeline, not of a single step"
  }
}

variable "description" {
  description = "Description of the pipeline."
  type        = string
  default     = null
}

variable "existing_starter_role" {
  description = "Start the pipeline with this role instead of a new one. It is an object, so that the ARN may be unknown until apply."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_starter_role == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.existing_starter_role.arn))
    error_message = "existing_starter_role: arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }
}

variable "failure_topic" {
  description = "SNS topic that receives every failed execution. Default: none."
  type = object({
    existing_role = optional(object({
      arn = string
    }))
    kms_key_arn = string
  })
  default = null

  validation {
    condition     = var.failure_topic == null ? true : var.failure_topic.existing_role == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.failure_topic.existing_role.arn))
    error_message = "failure_topic: existing_role: arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = var.failure_topic == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.failure_topic.kms_key_arn))
    error_message = "failure_topic: kms_key_arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }
}

variable "max_parallel_steps" {
  description = "Maximum number of parallel steps of an execution."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.max_parallel_steps >= 1
    error_message = "max_parallel_steps must be at least 1."
  }
}

variable "name" {
  description = "Short name of the pipeline; its full name is `<name_prefix>-<name>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,24}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 26 lower-case letters, digits and hyphens, and start with a letter."
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

variable "parameters" {
  description = "Defaults of the definition's parameters, which override those in the definition. Numbers and booleans as text."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !can(jsondecode(var.definition).Version) ? true : length(setsubtract(keys(var.parameters), [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name])) == 0
    error_message = "parameters: ${join(", ", setsubtract(keys(var.parameters), [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name]))} is not a parameter of the definition, which declares ${join(", ", [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name])}; declare it there, or remove it here"
  }

  validation {
    condition = !can(jsondecode(var.definition).Version) ? true : length([
      for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name
      if contains([for name, item in var.parameters : name], parameter.Name) ? (parameter.Type != "String" ? !can(regex(parameter.Type == "Boolean" ? "^(true|false)$" : (parameter.Type == "Integer" ? "^-?(0|[1-9][0-9]*)$" : "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?$"), var.parameters[parameter.Name])) : false) : false
    ]) == 0
    error_message = "parameters: ${join(", ", [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name if contains([for name, item in var.parameters : name], parameter.Name) ? (parameter.Type != "String" ? !can(regex(parameter.Type == "Boolean" ? "^(true|false)$" : (parameter.Type == "Integer" ? "^-?(0|[1-9][0-9]*)$" : "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?$"), var.parameters[parameter.Name])) : false) : false])} must be a whole number, a number, true or false, as its Type in the definition says"
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

variable "role_arn" {
  description = "Role of the pipeline. It starts the jobs of the steps and passes their roles."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
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

variable "schedule" {
  description = "Start the pipeline on a schedule. Default: none, because new data is a better trigger."
  type = object({
    alias                   = optional(string, "live")
    expression              = string
    flexible_window_minutes = optional(number, 60)
    parameters              = optional(map(string), {})
    timezone                = optional(string, "UTC")
  })
  default = null

  validation {
    condition     = var.schedule == null ? true : var.schedule.alias == null ? true : can(regex("^[a-zA-Z0-9._-]{1,128}$", var.schedule.alias))
    error_message = "schedule: alias must be letters, digits, dots, hyphens and underscores."
  }

  validation {
    condition     = var.schedule == null ? true : can(regex("^(cron|rate|at)\\(.+\\)$", var.schedule.expression))
    error_message = "schedule: expression must be cron(…), rate(…) or at(…)."
  }

  validation {
    condition     = var.schedule == null ? true : var.schedule.flexible_window_minutes >= 1 && var.schedule.flexible_window_minutes <= 1440
    error_message = "schedule: flexible_window_minutes must be at least 1 and be at most 1440."
  }
}

variable "start_retries" {
  description = "Retries of a start that SageMaker rejects."
  type = object({
    max_age_seconds = optional(number, 3600)
    max_attempts    = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.start_retries.max_age_seconds >= 60 && var.start_retries.max_age_seconds <= 86400
    error_message = "start_retries: max_age_seconds must be at least 60 and be at most 86400."
  }

  validation {
    condition     = var.start_retries.max_attempts >= 0 && var.start_retries.max_attempts <= 185
    error_message = "start_retries: max_attempts must be at least 0 and be at most 185."
  }
}

variable "tags" {
  description = "Tags of every resource, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
