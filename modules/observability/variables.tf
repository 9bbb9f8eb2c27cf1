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

variable "dead_letter_queues" {
  description = "Further dead-letter queues with an alarm, such as the output dead_letter_queue_names of `pipeline` and `model_registry`. The queues of this module always have an alarm. Default: none."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.dead_letter_queues : can(regex("^[A-Za-z0-9_-]{1,80}$", item))])
    error_message = "each of dead_letter_queues must be the name of a standard queue of this account and Region, not its URL."
  }
}

variable "endpoints" {
  description = "Endpoints to monitor, by a key of your choice. Default: none."
  type = map(object({
    name                    = string
    kind                    = string
    variants                = optional(list(string), ["main"])
    instance_type           = optional(string)
    memory_mb               = optional(number)
    provisioned_concurrency = optional(number, 0)
    latency_slo_ms          = optional(number)
    backlog_slo_seconds     = optional(number, 3600)
    deployment_minutes      = optional(number, 15)
    idle_stop               = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.endpoints : item != null])
    error_message = "each of endpoints must not be null."
  }

  validation {
    condition     = alltrue([for item in var.endpoints : item == null ? true : item.kind != null])
    error_message = "endpoints: kind must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", item.name))]), true)
    error_message = "endpoints: name must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : contains(["realtime", "async", "serverless"], item.kind)]), true)
    error_message = "endpoints: kind must be one of \"realtime\", \"async\", \"serverless\"."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : length(item.variants) >= 1 && length(item.variants) <= 10]), true)
    error_message = "endpoints: variants must hold at least 1 and hold at most 10."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : alltrue([for item2 in item.variants : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", item2))])]), true)
    error_message = "each of endpoints: variants must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : item.provisioned_concurrency >= 0 && item.provisioned_concurrency <= 200]), true)
    error_message = "endpoints: provisioned_concurrency must be at least 0 and be at most 200."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : item.latency_slo_ms == null ? true : item.latency_slo_ms >= 1]), true)
    error_message = "endpoints: latency_slo_ms must be at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : item.backlog_slo_seconds >= 60]), true)
    error_message = "endpoints: backlog_slo_seconds must be at least 60."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : item.deployment_minutes >= 1 && item.deployment_minutes <= 240]), true)
    error_message = "endpoints: deployment_minutes must be at least 1 and be at most 240."
  }

  validation {
    condition     = try(alltrue([for item in var.endpoints : item.idle_stop == null ? true : contains(["off", "report", "delete"], item.idle_stop)]), true)
    error_message = "endpoints: idle_stop must be one of \"off\", \"report\", \"delete\"."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.endpoints) : can(regex("^[a-z][a-z0-9_]{0,62}$", key))]), true)
    error_message = "each key of endpoints must be 1 to 63 lower-case letters, digits and underscores, starting with a letter."
  }

  validation {
    condition     = length(distinct([for endpoint in var.endpoints : substr(endpoint.name, 0, 59)])) == length(var.endpoints)
    error_message = "endpoints: two endpoints have the same name, or names with the same first 59 characters."
  }

  validation {
    condition     = try(alltrue([for key, item in var.endpoints : length(distinct(item.variants)) == length(item.variants)]), true)
    error_message = try(join("; ", [for key, item in var.endpoints : "endpoints.${key}.variants: two variants have the same name; rename one" if !(length(distinct(item.variants)) == length(item.variants))]), "")
  }

  validation {
    condition     = try(alltrue([for key, item in var.endpoints : item.instance_type == null == (item.kind == "serverless")]), true)
    error_message = try(join("; ", [for key, item in var.endpoints : "endpoints.${key}.instance_type: set it for a realtime or async endpoint; a serverless endpoint has no instances" if !(item.instance_type == null == (item.kind == "serverless"))]), "")
  }

  validation {
    condition     = try(alltrue([for key, item in var.endpoints : item.memory_mb == null == (item.kind != "serverless")]), true)
    error_message = try(join("; ", [for key, item in var.endpoints : "endpoints.${key}.memory_mb: set it for a serverless endpoint; other endpoints have instances" if !(item.memory_mb == null == (item.kind != "serverless"))]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.endpoints :
      item.memory_mb == null ? true : contains([1024, 2048, 3072, 4096, 5120, 6144], item.memory_mb)
    ]), true)
    error_message = try(join("; ", [for key, item in var.endpoints : "endpoints.${key}.memory_mb: must be one of 1024, 2048, 3072, 4096, 5120, 6144" if !(item.memory_mb == null ? true : contains([1024, 2048, 3072, 4096, 5120, 6144], item.memory_mb))]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.endpoints : item.provisioned_concurrency == 0 ? true : item.kind == "serverless"
    ]), true)
    error_message = try(join("; ", [for key, item in var.endpoints : "endpoints.${key}.provisioned_concurrency: only a serverless endpoint has provisioned workers; remove it" if !(item.provisioned_concurrency == 0 ? true : item.kind == "serverless")]), "")
  }

  validation {
    condition     = try(alltrue([for key, item in var.endpoints : item.idle_stop == null ? true : item.kind == "realtime"]), true)
    error_message = try(join("; ", [for key, item in var.endpoints : "endpoints.${key}.idle_stop: only an idle real-time endpoint has costs; remove it" if !(item.idle_stop == null ? true : item.kind == "realtime")]), "")
  }
}

variable "event_scope" {
  description = "account: events of all resources of the account and Region. name_prefix: only events of resources whose name starts with name_prefix and a hyphen. Jobs also match by the name of their role, and transform jobs by the name of their output bucket. Deployment events are always those of the monitored endpoints."
  type        = string
  default     = "account"
  nullable    = false

  validation {
    condition     = contains(["account", "name_prefix"], var.event_scope)
    error_message = "event_scope must be one of \"account\", \"name_prefix\"."
  }
}

variable "events" {
  description = "Events to notify of, in addition to alarms: deployments of these endpoints, and events in event_scope. Default: all."
  type        = list(string)
  default = [
    "deployments", "endpoints", "model_packages", "pipelines", "processing_jobs", "rollbacks",
    "training_jobs", "transform_jobs", "tuning_jobs",
  ]
  nullable = false

  validation {
    condition     = alltrue([for item in var.events : contains(["deployments", "endpoints", "model_packages", "pipelines", "processing_jobs", "rollbacks", "training_jobs", "transform_jobs", "tuning_jobs"], item)])
    error_message = "each of events must be one of \"deployments\", \"endpoints\", \"model_packages\", \"pipelines\", \"processing_jobs\", \"rollbacks\", \"training_jobs\", \"transform_jobs\", \"tuning_jobs\"."
  }
}

variable "existing_publisher_role" {
  description = "Publish events to the topics with this role instead of a new one."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_publisher_role == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.existing_publisher_role.arn))
    error_message = "existing_publisher_role: arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition = alltrue([
      for text in [for role in var.existing_publisher_role[*] : role.arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "existing_publisher_role: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
  }
}

variable "idle_stop" {
  description = "Action for real-time endpoints without requests or deployments for waste_hours: report notifies the alarm topic, delete deletes them, off does nothing."
  type        = string
  default     = "report"
  nullable    = false

  validation {
    condition     = contains(["off", "report", "delete"], var.idle_stop)
    error_message = "idle_stop must be one of \"off\", \"report\", \"delete\"."
  }

  validation {
    condition     = !can(regex("^(aws|amazon|amzn)", var.name_prefix)) ? true : (var.idle_stop == "off" ? alltrue([for endpoint in var.endpoints : coalesce(endpoint.idle_stop, "off") == "off"]) : false)
    error_message = "idle_stop: Systems Manager refuses runbooks whose name begins with aws, amazon or amzn, as name_prefix does; use off"
  }
}

variable "kms_key_arn" {
  description = "Key of topics and logs. Its policy must allow the account's roles, CloudWatch and CloudWatch Logs."
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

variable "log_groups" {
  description = "Log groups to create before SageMaker creates them without a retention. Default: the log groups of jobs. An account and Region has one of each."
  type        = list(string)
  default = [
    "/aws/sagemaker/InferenceRecommendationsJobs",
    "/aws/sagemaker/ProcessingJobs",
    "/aws/sagemaker/TrainingJobs",
    "/aws/sagemaker/TransformJobs",
  ]
  nullable = false

  validation {
    condition     = alltrue([for item in var.log_groups : can(regex("^[A-Za-z0-9_/.#-]{1,512}$", item))])
    error_message = "each of log_groups must be the name of a log group, such as /aws/sagemaker/TrainingJobs."
  }
}

variable "log_retention_days" {
  description = "Retention of these log groups, in days."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
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

variable "subscribers" {
  description = "Subscribers of the topics, by a key of your choice. Default: none."
  type = map(object({
    protocol = string
    endpoint = string
    topics   = optional(list(string), ["alarms"])
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
    condition     = try(alltrue([for item in var.subscribers : length(item.topics) >= 1]), true)
    error_message = "subscribers: topics must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.subscribers : alltrue([for item2 in item.topics : contains(["alarms", "events"], item2)])]), true)
    error_message = "each of subscribers: topics must be one of \"alarms\", \"events\"."
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

variable "thresholds" {
  description = "Thresholds that replace the defaults, by alarm. The section Alarms of the module's page has the defaults and their units."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.thresholds) : contains(["errors", "client_errors", "latency", "failures", "lost_responses", "lost_notifications", "expired", "backlog_age", "cpu_high", "gpu_high", "memory_high", "disk_high", "idle", "idle_instances", "efficiency", "cpu_low", "gpu_low", "memory_low", "provisioned_low"], key)])
    error_message = "each key of thresholds must be one of \"errors\", \"client_errors\", \"latency\", \"failures\", \"lost_responses\", \"lost_notifications\", \"expired\", \"backlog_age\", \"cpu_high\", \"gpu_high\", \"memory_high\", \"disk_high\", \"idle\", \"idle_instances\", \"efficiency\", \"cpu_low\", \"gpu_low\", \"memory_low\", \"provisioned_low\"."
  }
}

variable "verify_location" {
  description = "Read the identity and the Region of the provider, and warn if they are not account_id and region."
  type        = bool
  default     = false
  nullable    = false
}

variable "waste_hours" {
  description = "Consecutive hours in which an endpoint is idle or too large, before an alarm on this waste."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition     = var.waste_hours >= 1 && var.waste_hours <= 168
    error_message = "waste_hours must be at least 1 and be at most 168."
  }
}
