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

  validation {
    condition = !can(jsondecode(var.definition).Steps[0].Type) ? true : length(setsubtract([for step in jsondecode(var.definition).Steps : step.Type], [
      "AutoML", "Callback", "ClarifyCheck", "Cleanup", "Condition", "EMR", "EMRServerless", "Endpoint",
      "EndpointConfig", "Fail", "ForEach", "InferenceComponent", "Job", "Lambda", "Lineage", "Model",
      "Processing", "QualityCheck", "RegisterModel", "Training", "Transform", "Tuning",
    ])) == 0
    error_message = "definition: ${join(", ", try(setsubtract([for step in jsondecode(var.definition).Steps : step.Type], ["AutoML", "Callback", "ClarifyCheck", "Cleanup", "Condition", "EMR", "EMRServerless", "Endpoint", "EndpointConfig", "Fail", "ForEach", "InferenceComponent", "Job", "Lambda", "Lineage", "Model", "Processing", "QualityCheck", "RegisterModel", "Training", "Transform", "Tuning"]), []))} is not a type of a step; use one of AutoML, Callback, ClarifyCheck, Cleanup, Condition, EMR, EMRServerless, Endpoint, EndpointConfig, Fail, ForEach, InferenceComponent, Job, Lambda, Lineage, Model, Processing, QualityCheck, RegisterModel, Training, Transform, Tuning"
  }

  validation {
    condition = !can(jsondecode(var.definition).Version) ? true : length(setsubtract([
      for groups in regexall("\\x22Get\\x22:\\x22Parameters\\.([^\\x22]+)\\x22", jsonencode(jsondecode(var.definition))) :
      groups[0]
    ], [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name])) == 0
    error_message = "definition: ${join(", ", try(setsubtract([for groups in regexall("\\x22Get\\x22:\\x22Parameters\\.([^\\x22]+)\\x22", jsonencode(jsondecode(var.definition))) : groups[0]], [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name]), []))} is used, but not declared in Parameters; declare it"
  }
}

variable "description" {
  description = "Description of the pipeline."
  type        = string
  default     = null
}

variable "drift" {
  description = "Start the pipeline when an alarm on a drift metric goes into ALARM. Default: no alarm."
  type = object({
    metric_name      = optional(string, "DriftingColumns")
    namespace        = optional(string)
    parameters       = optional(map(string), {})
    reason_parameter = optional(string, "StartReason")
    threshold        = optional(number, 1)
    workload         = string
  })
  default = null

  validation {
    condition     = var.drift == null ? true : length(var.drift.metric_name) >= 1
    error_message = "drift: metric_name must hold at least 1."
  }

  validation {
    condition     = var.drift == null ? true : var.drift.namespace == null ? true : can(regex("^[^:*][^*]{0,254}$", var.drift.namespace))
    error_message = "drift: namespace must be the namespace of a metric, without wildcards."
  }

  validation {
    condition     = var.drift == null ? true : alltrue([for key in keys(var.drift.parameters) : can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", key))])
    error_message = "each key of drift: parameters must be a parameter name with letters, digits and hyphens, as EventBridge requires."
  }

  validation {
    condition     = var.drift == null ? true : can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", var.drift.reason_parameter))
    error_message = "drift: reason_parameter must be a parameter name with letters, digits and hyphens, as EventBridge requires."
  }

  validation {
    condition     = var.drift == null ? true : can(regex("^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,254}$", var.drift.workload))
    error_message = "drift: workload must be letters, digits, dots, hyphens, underscores and slashes."
  }

  validation {
    condition     = var.drift == null ? true : (!can(jsondecode(var.definition).Version) ? true : length(setsubtract(concat(keys(var.drift.parameters), [var.drift.reason_parameter]), [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name])) == 0)
    error_message = "drift: ${join(", ", try(setsubtract(concat(keys(var.drift.parameters), [var.drift.reason_parameter]), [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name]), []))} is not a parameter of the definition; declare it there, or correct reason_parameter and drift.parameters"
  }

  validation {
    condition     = try(var.drift == null ? true : var.drift.threshold > 0, true)
    error_message = "drift.threshold: must be above 0, because 0 also starts without any drift"
  }
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

  validation {
    condition = alltrue([
      for text in [for role in var.existing_starter_role[*] : role.arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "existing_starter_role: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
  }
}

variable "failure_topic" {
  description = "SNS topic that receives every failed execution. Default: none."
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
    condition     = var.failure_topic == null ? true : var.failure_topic.subscribers == null ? true : alltrue([for item in var.failure_topic.subscribers : item != null])
    error_message = "each of failure_topic: subscribers must not be null."
  }

  validation {
    condition     = var.failure_topic == null ? true : var.failure_topic.subscribers == null ? true : alltrue([for item in var.failure_topic.subscribers : item == null ? true : item.protocol != null && item.endpoint != null])
    error_message = "failure_topic: subscribers: protocol and endpoint must not be null."
  }

  validation {
    condition     = var.failure_topic == null ? true : try(var.failure_topic.existing_role == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.failure_topic.existing_role.arn)), true)
    error_message = "failure_topic: existing_role: arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = var.failure_topic == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.failure_topic.kms_key_arn))
    error_message = "failure_topic: kms_key_arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }

  validation {
    condition     = var.failure_topic == null ? true : try(alltrue([for item in var.failure_topic.subscribers : contains(["email", "https", "lambda", "sqs"], item.protocol)]), true)
    error_message = "failure_topic: subscribers: protocol must be one of \"email\", \"https\", \"lambda\", \"sqs\"."
  }

  validation {
    condition     = var.failure_topic == null ? true : try(alltrue([for key in keys(var.failure_topic.subscribers) : can(regex("^[a-z][a-z0-9_]{0,62}$", key))]), true)
    error_message = "each key of failure_topic: subscribers must be 1 to 63 lower-case letters, digits and underscores, starting with a letter."
  }

  validation {
    condition = alltrue([
      for text in [for topic in var.failure_topic[*] : topic.kms_key_arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:${var.region}:", text))
    ])
    error_message = "failure_topic: must be a key in Region ${var.region}."
  }

  validation {
    condition = alltrue([
      for text in flatten([for topic in var.failure_topic[*] : [for role in topic.existing_role[*] : role.arn]]) :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "failure_topic: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
  }

  validation {
    condition     = try(var.failure_topic == null ? true : length(distinct([for key, subscriber in var.failure_topic.subscribers : subscriber.endpoint])) == length(var.failure_topic.subscribers), true)
    error_message = "failure_topic.subscribers: two subscribers have the same endpoint, which SNS subscribes once; remove one."
  }

  validation {
    condition = try(var.failure_topic == null ? true : alltrue([
      for key, item in var.failure_topic.subscribers :
      can(regex("^(email [^@\\s]+@[^@\\s]+\\.[^@\\s]+|https https://\\S+|lambda arn:(aws|aws-cn|aws-us-gov):lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?|sqs arn:(aws|aws-cn|aws-us-gov):sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)$", "${item.protocol} ${item.endpoint}"))
    ]), true)
    error_message = try(var.failure_topic == null ? "" : join("; ", [for key, item in var.failure_topic.subscribers : "failure_topic.subscribers.${key}.endpoint: ${item.endpoint} does not fit protocol ${item.protocol}; use an address such as ml-team@example.com for email, an https:// address for https, the ARN of a function for lambda, or the ARN of a standard queue for sqs." if !can(regex("^(email [^@\\s]+@[^@\\s]+\\.[^@\\s]+|https https://\\S+|lambda arn:(aws|aws-cn|aws-us-gov):lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?|sqs arn:(aws|aws-cn|aws-us-gov):sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)$", "${item.protocol} ${item.endpoint}"))]), "")
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
    error_message = "name must be 2 to 26 lower-case letters, digits and hyphens, starting with a letter."
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

variable "role_arn" {
  description = "Role of the pipeline. It starts the jobs of the steps and passes their roles."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition = alltrue([
      for text in var.role_arn[*] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "role_arn: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
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

  validation {
    condition     = var.schedule == null ? true : (!can(jsondecode(var.definition).Version) ? true : length(setsubtract(keys(var.schedule.parameters), [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name])) == 0)
    error_message = "schedule: ${join(", ", try(setsubtract(keys(var.schedule.parameters), [for parameter in lookup(jsondecode(var.definition), "Parameters", []) : parameter.Name]), []))} is not a parameter of the definition; declare it there, or remove it from schedule.parameters"
  }

  validation {
    condition     = try(var.schedule == null ? true : (can(regex("^rate\\([1-9][0-9]* (minute|hour|day)s?\\)$", var.schedule.expression)) ? true : (can(regex("^at\\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\)$", var.schedule.expression)) ? true : (can(regex("^cron\\(\\S+ \\S+ (\\? \\S+ [^\\s?]\\S*|[^\\s?]\\S* \\S+ \\?) [^\\s)]+\\)$", var.schedule.expression)) ? alltrue([for field, pattern in local.cron : can(regex(pattern, var.schedule.expression))]) : false))), true)
    error_message = "schedule.expression: must be a rate such as rate(7 days), in minutes, hours or days; at(2030-01-31T06:00:00); or a cron expression of six fields, with ? for the day of the month or of the week."
  }

  validation {
    condition     = try(var.schedule == null ? true : contains(local.time_zones, var.schedule.timezone), true)
    error_message = try(var.schedule == null ? "" : "schedule.timezone: ${var.schedule.timezone} is not the name of a time zone; use one such as Europe/Stockholm, or UTC.", "")
  }
}

variable "start_retries" {
  description = "Retries of a start that SageMaker refuses."
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

variable "vpc_config" {
  description = "Network of all jobs and models of the steps, except those with a VpcConfig of their own. Set the same subnets in `access`. Default: the definition as it is."
  type = object({
    security_group_ids = list(string)
    subnets            = list(string)
  })
  default = null

  validation {
    condition     = var.vpc_config == null ? true : var.vpc_config.security_group_ids != null && var.vpc_config.subnets != null
    error_message = "vpc_config: security_group_ids and subnets must not be null."
  }

  validation {
    condition     = var.vpc_config == null ? true : try(length(var.vpc_config.security_group_ids) >= 1, true)
    error_message = "vpc_config: security_group_ids must hold at least 1."
  }

  validation {
    condition     = var.vpc_config == null ? true : try(alltrue([for item in var.vpc_config.security_group_ids : can(regex("^sg-[0-9a-f]{8}([0-9a-f]{9})?$", item))]), true)
    error_message = "each of vpc_config: security_group_ids must be the id of a security group such as sg-0123456789abcdef0."
  }

  validation {
    condition     = var.vpc_config == null ? true : try(length(var.vpc_config.subnets) >= 1, true)
    error_message = "vpc_config: subnets must hold at least 1."
  }

  validation {
    condition     = var.vpc_config == null ? true : try(alltrue([for item in var.vpc_config.subnets : can(regex("^subnet-[0-9a-f]{8}([0-9a-f]{9})?$", item))]), true)
    error_message = "each of vpc_config: subnets must be the id of a subnet such as subnet-0123456789abcdef0."
  }
}
