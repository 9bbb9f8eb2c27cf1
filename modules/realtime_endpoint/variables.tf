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

variable "alarm_actions" {
  description = "ARNs of SNS topics that receive the rollback alarms, also outside deployments."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.alarm_actions : can(regex("^arn:(aws|aws-cn|aws-us-gov):[a-z0-9-]+:.+$", item))])
    error_message = "each of alarm_actions must be an ARN, such as that of an SNS topic."
  }
}

variable "aws_provider" {
  description = "Major version of the AWS provider in use, which a module cannot read. Version 5 refuses newer instance types, such as ml.c8g; version 6 accepts them."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = contains([5, 6], var.aws_provider)
    error_message = "aws_provider must be one of 5, 6."
  }
}

variable "challengers" {
  description = "Models that share the requests with the first variant, by variant name, with the same instance type and scaling limits."
  type = map(object({
    environment_variables        = optional(map(string), {})
    image_uri                    = optional(string)
    model_data_url               = optional(string)
    model_package_arn            = optional(string)
    inference_specification_name = optional(string)
    weight                       = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.challengers : item != null])
    error_message = "each of challengers must not be null."
  }

  validation {
    condition     = alltrue([for item in var.challengers : item == null ? true : item.weight != null])
    error_message = "challengers: weight must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.challengers : item.image_uri == null ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[^ ]+$", item.image_uri))]), true)
    error_message = "challengers: image_uri must be an image in Amazon ECR; other registries are not supported."
  }

  validation {
    condition     = try(alltrue([for item in var.challengers : item.model_data_url == null ? true : can(regex("^s3://[^*?]+\\.tar\\.gz$", item.model_data_url))]), true)
    error_message = "challengers: model_data_url must be a model archive in S3: s3://bucket/…/model.tar.gz."
  }

  validation {
    condition     = try(alltrue([for item in var.challengers : item.model_package_arn == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/.+$", item.model_package_arn))]), true)
    error_message = "challengers: model_package_arn must be the ARN of a model package (arn:aws:sagemaker:…:model-package/…)."
  }

  validation {
    condition     = try(alltrue([for item in var.challengers : item.inference_specification_name == null ? true : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", item.inference_specification_name))]), true)
    error_message = "challengers: inference_specification_name must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = try(alltrue([for item in var.challengers : item.weight >= 1]), true)
    error_message = "challengers: weight must be at least 1."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.challengers) : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", key))]), true)
    error_message = "each key of challengers must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition = alltrue([
      for text in [for one in var.challengers : one.image_uri] :
      !can(regex("^[0-9]{12}\\.dkr\\.ecr\\.", text)) ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.${var.region}\\.", text))
    ])
    error_message = "challengers: must be an image in a registry in Region ${var.region}."
  }

  validation {
    condition = alltrue([
      for text in [for one in var.challengers : one.model_package_arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:${var.region}:", text))
    ])
    error_message = "challengers: must be a model package in Region ${var.region}."
  }

  validation {
    condition = alltrue([
      for challenger in var.challengers :
      challenger.image_uri == null ? true : (!can(regex(lookup(local.images_not_for, var.silicon, "^$"), challenger.image_uri)) ? (var.silicon != "inferentia2" ? true : can(regex("neuron", challenger.image_uri))) : false)
    ])
    error_message = "challengers: ${join(", ", [for name, challenger in var.challengers : name if !(challenger.image_uri == null ? true : (!can(regex(lookup(local.images_not_for, var.silicon, "^$"), challenger.image_uri)) ? (var.silicon != "inferentia2" ? true : can(regex("neuron", challenger.image_uri))) : false))])}: the image is not for ${var.silicon}, the silicon of all variants; use an image for ${var.silicon}."
  }

  validation {
    condition     = !contains(keys(var.challengers), var.variant_name)
    error_message = "challengers: the name ${var.variant_name} belongs to the variant of image_uri or model_package_arn; choose another name."
  }

  validation {
    condition     = length(var.challengers) + length(var.challengers) + 2 + length(var.more_rollback_alarms) <= 10
    error_message = "challengers: SageMaker allows 10 rollback alarms, and each variant has two; remove some."
  }

  validation {
    condition = try(alltrue([
      for key, item in var.challengers :
      item.inference_specification_name == null ? true : item.model_package_arn != null
    ]), true)
    error_message = try(join("; ", [for key, item in var.challengers : "challengers.${key}.inference_specification_name: it belongs to a model package; set model_package_arn, or remove it." if !(item.inference_specification_name == null ? true : item.model_package_arn != null)]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.challengers :
      item.model_package_arn == null ? item.image_uri != null : (item.image_uri == null ? item.model_data_url == null : false)
    ]), true)
    error_message = try(join("; ", [for key, item in var.challengers : "challengers.${key}.model_package_arn: set either a model package, or image_uri (with model_data_url unless the image contains the model); a package has its own image and model." if !(item.model_package_arn == null ? item.image_uri != null : (item.image_uri == null ? item.model_data_url == null : false))]), "")
  }
}

variable "containers" {
  description = "Several containers of the first variant, instead of one."
  type = list(object({
    environment_variables = optional(map(string), {})
    hostname              = string
    image_uri             = string
    model_data_url        = optional(string)
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for item in var.containers : item != null])
    error_message = "each of containers must not be null."
  }

  validation {
    condition     = length(var.containers) <= 15
    error_message = "containers must hold at most 15."
  }

  validation {
    condition     = try(alltrue([for item in var.containers : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", item.hostname))]), true)
    error_message = "containers: hostname must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = try(alltrue([for item in var.containers : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[^ ]+$", item.image_uri))]), true)
    error_message = "containers: image_uri must be an image in Amazon ECR; other registries are not supported."
  }

  validation {
    condition     = try(alltrue([for item in var.containers : item.model_data_url == null ? true : can(regex("^s3://[^*?]+\\.tar\\.gz$", item.model_data_url))]), true)
    error_message = "containers: model_data_url must be a model archive in S3: s3://bucket/…/model.tar.gz."
  }

  validation {
    condition = alltrue([
      for text in [for one in var.containers : one.image_uri] :
      !can(regex("^[0-9]{12}\\.dkr\\.ecr\\.", text)) ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.${var.region}\\.", text))
    ])
    error_message = "containers: must be an image in a registry in Region ${var.region}."
  }

  validation {
    condition     = length(var.containers) != 1
    error_message = "containers: a list needs at least two containers; for one, set image_uri and model_data_url."
  }

  validation {
    condition = alltrue([
      for container in var.containers :
      !can(regex(lookup(local.images_not_beside, var.silicon, "^$"), container.image_uri))
    ])
    error_message = "containers: ${join(", ", [for container in var.containers : container.hostname if can(regex(lookup(local.images_not_beside, var.silicon, "^$"), container.image_uri))])}: the image is not for ${var.silicon}; use an image for ${var.silicon}."
  }

  validation {
    condition     = var.silicon != "inferentia2" ? true : (length(var.containers) == 0 ? true : !alltrue([for container in var.containers : !can(regex("neuron", container.image_uri))]))
    error_message = "containers: Inferentia runs only Neuron images, whose names contain neuron; use one, or other silicon."
  }
}

variable "containers_mode" {
  description = "Serial: the containers process a request one after another. Direct: the caller selects one."
  type        = string
  default     = "Serial"
  nullable    = false

  validation {
    condition     = contains(["Serial", "Direct"], var.containers_mode)
    error_message = "containers_mode must be one of \"Serial\", \"Direct\"."
  }
}

variable "data_capture" {
  description = "Capture an encrypted sample of requests and responses. Default: none."
  type = object({
    percent = optional(number, 10)
    s3_uri  = string
  })
  default = null

  validation {
    condition     = var.data_capture == null ? true : var.data_capture.percent >= 1 && var.data_capture.percent <= 100
    error_message = "data_capture: percent must be at least 1 and be at most 100."
  }

  validation {
    condition     = var.data_capture == null ? true : can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\\s]+)+$", var.data_capture.s3_uri))
    error_message = "data_capture: s3_uri must be a prefix in a bucket, without wildcards or a slash at its end: s3://bucket/captures."
  }
}

variable "deployment" {
  description = "Deployment strategy, and the conditions of a rollback."
  type = object({
    bake_seconds  = optional(number, 300)
    error_percent = optional(number, 5)
    step_percent  = optional(number, 50)
    strategy      = optional(string, "rolling")
    wait_seconds  = optional(number, 300)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.deployment.bake_seconds >= 0 && var.deployment.bake_seconds <= 3600
    error_message = "deployment: bake_seconds must be at least 0 and be at most 3600."
  }

  validation {
    condition     = var.deployment.error_percent >= 0 && var.deployment.error_percent <= 99
    error_message = "deployment: error_percent must be at least 0 and be at most 99."
  }

  validation {
    condition     = var.deployment.step_percent >= 5 && var.deployment.step_percent <= 50
    error_message = "deployment: step_percent must be at least 5 and be at most 50."
  }

  validation {
    condition     = contains(["rolling", "canary", "linear", "all_at_once"], var.deployment.strategy)
    error_message = "deployment: strategy must be one of \"rolling\", \"canary\", \"linear\", \"all_at_once\"."
  }

  validation {
    condition     = var.deployment.wait_seconds >= 0 && var.deployment.wait_seconds <= 3600
    error_message = "deployment: wait_seconds must be at least 0 and be at most 3600."
  }

  validation {
    condition     = var.min_instances > 1 ? true : var.deployment.strategy == "all_at_once"
    error_message = "deployment: ${var.deployment.strategy} moves at most half of the instances at a time, so it needs two; use all_at_once, or min_instances of 2 or more."
  }

  validation {
    condition     = var.deployment.strategy == "all_at_once" ? true : (var.min_instances == 1 ? true : 100 / var.deployment.step_percent <= var.min_instances)
    error_message = "deployment: step_percent, ${var.deployment.step_percent}, of ${var.min_instances} instances is less than one instance; increase it."
  }

  validation {
    condition     = var.deployment.strategy != "rolling" ? true : length(var.challengers) == 0
    error_message = "deployment: SageMaker has no rolling deployment for several variants; use canary, linear or all_at_once."
  }

  validation {
    condition     = try((var.deployment.strategy == "all_at_once" ? 0 : (var.deployment.strategy == "canary" ? 1 : 100 / var.deployment.step_percent)) * var.deployment.wait_seconds + (var.deployment.strategy == "rolling" ? 0 : var.deployment.bake_seconds) <= 3000, true)
    error_message = "deployment.wait_seconds: the AWS provider waits one hour for a deployment, and the steps and bake_seconds of this one wait more than 3000 seconds; shorten the waits, or use fewer steps."
  }

  validation {
    condition     = try(var.deployment.strategy == "all_at_once" ? true : var.deployment.error_percent < var.deployment.step_percent, true)
    error_message = try("deployment.error_percent: must be less than step_percent, ${var.deployment.step_percent}: a bad model cannot cause more errors in its first step.", "")
  }

  validation {
    condition     = try(var.deployment.strategy != "linear" ? true : var.deployment.step_percent >= 10, true)
    error_message = "deployment.step_percent: a linear step must be at least 10 percent."
  }
}

variable "enable_network_isolation" {
  description = "Isolate the containers from every network. SageMaker itself fetches the model."
  type        = bool
  default     = true
  nullable    = false
}

variable "environment_variables" {
  description = "Environment variables of the container. They are readable, so never put secrets in them."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "image_uri" {
  description = "Container image in Amazon ECR, for the processor of the endpoint (silicon)."
  type        = string
  default     = null

  validation {
    condition     = var.image_uri == null ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[^ ]+$", var.image_uri))
    error_message = "image_uri must be an image in Amazon ECR; other registries are not supported."
  }

  validation {
    condition     = var.image_uri == null ? true : !can(regex(lookup(local.images_not_for, var.silicon, "^$"), var.image_uri))
    error_message = "image_uri: this image is for ${join(" and ", distinct([for silicon, pattern in local.images_for : silicon == "amd64" ? "x86" : silicon if can(regex(pattern, var.image_uri))]))}, and ${var.instance_type} is ${var.silicon}; use an image for it, or other silicon."
  }

  validation {
    condition     = var.silicon != "inferentia2" ? true : (var.image_uri == null ? true : can(regex("neuron", var.image_uri)))
    error_message = "image_uri: Inferentia runs only Neuron images, whose names contain neuron; use one, or other silicon."
  }

  validation {
    condition = alltrue([
      for text in var.image_uri[*] :
      !can(regex("^[0-9]{12}\\.dkr\\.ecr\\.", text)) ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.${var.region}\\.", text))
    ])
    error_message = "image_uri: must be an image in a registry in Region ${var.region}."
  }
}

variable "inference_ami_version" {
  description = "Driver version of GPU instances. Default: SageMaker chooses. Inferentia always uses Neuron drivers."
  type        = string
  default     = null

  validation {
    condition     = var.inference_ami_version == null ? true : contains(["al2-ami-sagemaker-inference-gpu-2", "al2-ami-sagemaker-inference-gpu-2-1", "al2-ami-sagemaker-inference-gpu-3-1"], var.inference_ami_version)
    error_message = "inference_ami_version must be one of \"al2-ami-sagemaker-inference-gpu-2\", \"al2-ami-sagemaker-inference-gpu-2-1\", \"al2-ami-sagemaker-inference-gpu-3-1\"."
  }

  validation {
    condition     = var.inference_ami_version == null ? true : var.silicon == "gpu"
    error_message = "inference_ami_version: these drivers are only for GPUs; remove it."
  }
}

variable "inference_specification_name" {
  description = "Additional inference specification of the package to use, such as its image for Graviton. Default: the package's main specification."
  type        = string
  default     = null

  validation {
    condition     = var.inference_specification_name == null ? true : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", var.inference_specification_name))
    error_message = "inference_specification_name must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = var.inference_specification_name == null ? true : var.model_package_arn != null
    error_message = "inference_specification_name: it belongs to a model package; set model_package_arn, or remove it."
  }
}

variable "instance_type" {
  description = "Instance type, with this silicon. Types with a local disk encrypt it themselves, without kms_key_arn."
  type        = string
  default     = "ml.c7g.large"
  nullable    = false

  validation {
    condition     = can(regex("^ml\\.[a-z0-9-]+\\.[a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be an instance type such as ml.c7g.large."
  }

  validation {
    condition     = concat(split(".", var.instance_type), ["", ""])[1] != "inf1"
    error_message = "instance_type: the first Inferentia supports neither deployment guardrails nor current Neuron images; use ml.inf2."
  }

  validation {
    condition     = !can(regex("^ml\\.t[0-9]", var.instance_type))
    error_message = "instance_type: Application Auto Scaling refuses burstable instances; use another family."
  }

  validation {
    condition     = contains(lookup(local.families, var.silicon, []), concat(split(".", var.instance_type), ["", ""])[1])
    error_message = "instance_type: ${var.instance_type} is not of silicon ${var.silicon}; the ${var.silicon} families for SageMaker hosting are ${join(", ", lookup(local.families, var.silicon, []))}."
  }

  validation {
    condition     = !contains(keys(local.sizes), concat(split(".", var.instance_type), ["", ""])[1]) ? true : contains(lookup(local.sizes, concat(split(".", var.instance_type), ["", ""])[1], []), concat(split(".", var.instance_type), ["", ""])[2])
    error_message = "instance_type: SageMaker hosting has no ${var.instance_type}; the sizes of ${concat(split(".", var.instance_type), ["", ""])[1]} are ${join(", ", lookup(local.sizes, concat(split(".", var.instance_type), ["", ""])[1], []))}."
  }

  validation {
    condition     = var.aws_provider > 5 ? true : !(contains(local.refused_by_provider_5, concat(split(".", var.instance_type), ["", ""])[1]) ? true : contains(local.refused_by_provider_5, var.instance_type))
    error_message = "instance_type: version 5 of the AWS provider refuses ${var.instance_type}; use another ${var.silicon} type, or version 6 and aws_provider = 6."
  }

  validation {
    condition = !contains(concat(
      lookup(local.not_in_region, concat(split(".", var.instance_type), ["", ""])[1], []),
      lookup(local.not_in_region, var.instance_type, []),
    ), var.region)
    error_message = "instance_type: ${var.region} has no ${var.instance_type}; use another type, or another Region."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the storage and the logs. Its policy must allow CloudWatch Logs."
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

variable "latency_slo_ms" {
  description = "Maximum latency in milliseconds. The rollback alarm compares the p90 of the responses with it, so SageMaker rolls a deployment of a slower model back."
  type        = number
  nullable    = false

  validation {
    condition     = var.latency_slo_ms >= 1 && var.latency_slo_ms <= 60000
    error_message = "latency_slo_ms must be at least 1 and be at most 60000."
  }
}

variable "log_retention_days" {
  description = "Retention of the container's logs, in days."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "max_instances" {
  description = "Maximum number of instances of a variant."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.max_instances >= 1
    error_message = "max_instances must be at least 1."
  }
}

variable "min_instances" {
  description = "Minimum and initial number of instances of a variant. Two are in two Availability Zones."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.min_instances >= 1
    error_message = "min_instances must be at least 1."
  }

  validation {
    condition     = var.min_instances <= var.max_instances
    error_message = "min_instances: must be at most max_instances, which is ${var.max_instances}."
  }

  validation {
    condition     = var.min_instances > 1 ? true : var.one_instance_because != null
    error_message = "min_instances: one instance is in one Availability Zone; use two, or set one_instance_because to the reason."
  }
}

variable "model_cache" {
  description = "Keep models under models_s3_uri in memory between requests."
  type        = bool
  default     = true
  nullable    = false
}

variable "model_data_url" {
  description = "Model archive for image_uri: s3://bucket/…/model.tar.gz."
  type        = string
  default     = null

  validation {
    condition     = var.model_data_url == null ? true : can(regex("^s3://[^*?]+\\.tar\\.gz$", var.model_data_url))
    error_message = "model_data_url must be a model archive in S3: s3://bucket/…/model.tar.gz."
  }
}

variable "model_package_arn" {
  description = "Approved model package to serve, instead of image_uri and model_data_url."
  type        = string
  default     = null

  validation {
    condition     = var.model_package_arn == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/.+$", var.model_package_arn))
    error_message = "model_package_arn must be the ARN of a model package (arn:aws:sagemaker:…:model-package/…)."
  }

  validation {
    condition = alltrue([
      for text in var.model_package_arn[*] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:${var.region}:", text))
    ])
    error_message = "model_package_arn: must be a model package in Region ${var.region}."
  }

  validation {
    condition     = length(var.containers) > 0 ? (var.image_uri == null ? (var.model_data_url == null ? (var.model_package_arn == null ? var.models_s3_uri == null : false) : false) : false) : (var.models_s3_uri == null ? (var.model_package_arn == null ? var.image_uri != null : (var.image_uri == null ? var.model_data_url == null : false)) : (var.image_uri != null ? (var.model_data_url == null ? var.model_package_arn == null : false) : false))
    error_message = "model_package_arn: set one of: a model package; image_uri (with model_data_url unless the image contains the model); image_uri and models_s3_uri; containers."
  }
}

variable "models_s3_uri" {
  description = "S3 prefix of several model archives, for an image_uri that can serve them. The caller names one."
  type        = string
  default     = null

  validation {
    condition     = var.models_s3_uri == null ? true : can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\\s]+)+/$", var.models_s3_uri))
    error_message = "models_s3_uri must be a prefix in a bucket with a slash at its end: s3://bucket/models/."
  }
}

variable "more_rollback_alarms" {
  description = "Names of further metric alarms that roll a deployment back, such as one on a metric of the model."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.more_rollback_alarms) <= 2
    error_message = "more_rollback_alarms must hold at most 2."
  }
}

variable "name" {
  description = "Name of the endpoint, and prefix of its configurations' names. Default: name_prefix."
  type        = string
  default     = null

  validation {
    condition     = var.name == null ? true : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", var.name))
    error_message = "name must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
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

variable "off_hours" {
  description = "Schedule with fewer instances. Default: none, so only the load scales the endpoint."
  type = object({
    begin     = string
    end       = string
    instances = optional(number, 1)
    timezone  = string
  })
  default = null

  validation {
    condition     = var.off_hours == null ? true : var.off_hours.timezone != null
    error_message = "off_hours: timezone must not be null."
  }

  validation {
    condition     = var.off_hours == null ? true : can(regex("^cron\\(\\S+ \\S+ (\\? \\S+ [^\\s?]\\S*|[^\\s?]\\S* \\S+ \\?) [^\\s)]+\\)$", var.off_hours.begin))
    error_message = "off_hours: begin must be a cron expression of six fields, ? for the day of the month or of the week: cron(0 20 ? * MON-FRI *)."
  }

  validation {
    condition     = var.off_hours == null ? true : can(regex("^cron\\(\\S+ \\S+ (\\? \\S+ [^\\s?]\\S*|[^\\s?]\\S* \\S+ \\?) [^\\s)]+\\)$", var.off_hours.end))
    error_message = "off_hours: end must be a cron expression of six fields, ? for the day of the month or of the week: cron(0 20 ? * MON-FRI *)."
  }

  validation {
    condition     = var.off_hours == null ? true : try(var.off_hours.instances >= 1, true)
    error_message = "off_hours: instances must be at least 1."
  }

  validation {
    condition     = var.off_hours == null ? true : var.off_hours.instances <= var.min_instances
    error_message = "off_hours: instances must be at most min_instances, which is ${var.min_instances}."
  }

  validation {
    condition     = try(var.off_hours == null ? true : alltrue([for field, pattern in local.cron : can(regex(pattern, var.off_hours.begin))]), true)
    error_message = try(var.off_hours == null ? "" : "off_hours.begin: ${var.off_hours.begin} has invalid ${join(", ", [for field, pattern in local.cron : field if !can(regex(pattern, var.off_hours.begin))])}.", "")
  }

  validation {
    condition     = try(var.off_hours == null ? true : alltrue([for field, pattern in local.cron : can(regex(pattern, var.off_hours.end))]), true)
    error_message = try(var.off_hours == null ? "" : "off_hours.end: ${var.off_hours.end} has invalid ${join(", ", [for field, pattern in local.cron : field if !can(regex(pattern, var.off_hours.end))])}.", "")
  }

  validation {
    condition     = try(var.off_hours == null ? true : contains(local.canonical_time_zones, var.off_hours.timezone), true)
    error_message = try(var.off_hours == null ? "" : "off_hours.timezone: ${var.off_hours.timezone} is not the canonical name of a time zone, which Application Auto Scaling requires; use one such as Europe/Stockholm, or UTC.", "")
  }
}

variable "one_instance_because" {
  description = "Reason why one instance is enough, although it is unavailable for minutes when its Availability Zone fails. Required if min_instances is 1."
  type        = string
  default     = null

  validation {
    condition     = var.one_instance_because == null ? true : can(regex("^.{10,}$", var.one_instance_because))
    error_message = "one_instance_because must be a sentence."
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

variable "requests_per_instance" {
  description = "Target of requests per minute and instance. With more, instances are added. Use half of the maximum from a load test."
  type        = number
  default     = 600
  nullable    = false

  validation {
    condition     = var.requests_per_instance >= 1
    error_message = "requests_per_instance must be at least 1."
  }
}

variable "role_arn" {
  description = "Role of the container. It reads the model and writes logs and metrics."
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

variable "scale_in_cooldown_seconds" {
  description = "Minimum time between two scale-ins, in seconds."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.scale_in_cooldown_seconds >= 0 && var.scale_in_cooldown_seconds <= 3600
    error_message = "scale_in_cooldown_seconds must be at least 0 and be at most 3600."
  }
}

variable "shadow" {
  description = "Model that receives copies of requests, to test it without effect on callers. Default: none."
  type = object({
    environment_variables        = optional(map(string), {})
    image_uri                    = optional(string)
    model_data_url               = optional(string)
    model_package_arn            = optional(string)
    inference_specification_name = optional(string)
    instances                    = optional(number, 1)
    percent                      = optional(number, 10)
  })
  default = null

  validation {
    condition     = var.shadow == null ? true : var.shadow.image_uri == null ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[^ ]+$", var.shadow.image_uri))
    error_message = "shadow: image_uri must be an image in Amazon ECR; other registries are not supported."
  }

  validation {
    condition     = var.shadow == null ? true : var.shadow.model_data_url == null ? true : can(regex("^s3://[^*?]+\\.tar\\.gz$", var.shadow.model_data_url))
    error_message = "shadow: model_data_url must be a model archive in S3: s3://bucket/…/model.tar.gz."
  }

  validation {
    condition     = var.shadow == null ? true : var.shadow.model_package_arn == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/.+$", var.shadow.model_package_arn))
    error_message = "shadow: model_package_arn must be the ARN of a model package (arn:aws:sagemaker:…:model-package/…)."
  }

  validation {
    condition     = var.shadow == null ? true : var.shadow.inference_specification_name == null ? true : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", var.shadow.inference_specification_name))
    error_message = "shadow: inference_specification_name must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = var.shadow == null ? true : var.shadow.instances >= 1
    error_message = "shadow: instances must be at least 1."
  }

  validation {
    condition     = var.shadow == null ? true : var.shadow.percent >= 1 && var.shadow.percent <= 100
    error_message = "shadow: percent must be at least 1 and be at most 100."
  }

  validation {
    condition = alltrue([
      for text in [for one in var.shadow[*] : one.image_uri] :
      !can(regex("^[0-9]{12}\\.dkr\\.ecr\\.", text)) ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.${var.region}\\.", text))
    ])
    error_message = "shadow: must be an image in a registry in Region ${var.region}."
  }

  validation {
    condition = alltrue([
      for text in [for one in var.shadow[*] : one.model_package_arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:${var.region}:", text))
    ])
    error_message = "shadow: must be a model package in Region ${var.region}."
  }

  validation {
    condition     = var.shadow == null ? true : length(var.challengers) == 0
    error_message = "shadow: SageMaker allows a shadow only next to a single variant; remove challengers."
  }

  validation {
    condition     = var.shadow == null ? true : (var.models_s3_uri == null ? length(var.containers) == 0 : false)
    error_message = "shadow: SageMaker allows a shadow only next to one model in one container; remove models_s3_uri and containers."
  }

  validation {
    condition = alltrue([
      for shadow in var.shadow[*] :
      shadow.image_uri == null ? true : (!can(regex(lookup(local.images_not_for, var.silicon, "^$"), shadow.image_uri)) ? (var.silicon != "inferentia2" ? true : can(regex("neuron", shadow.image_uri))) : false)
    ])
    error_message = "shadow: its image is not for ${var.silicon}; use an image for ${var.silicon}."
  }

  validation {
    condition     = try(var.shadow == null ? true : (var.shadow.inference_specification_name == null ? true : var.shadow.model_package_arn != null), true)
    error_message = "shadow.inference_specification_name: it belongs to a model package; set model_package_arn, or remove it."
  }

  validation {
    condition     = try(var.shadow == null ? true : (var.shadow.model_package_arn == null ? var.shadow.image_uri != null : (var.shadow.image_uri == null ? var.shadow.model_data_url == null : false)), true)
    error_message = "shadow.model_package_arn: set either a model package, or image_uri (with model_data_url unless the image contains the model); a package has its own image and model."
  }
}

variable "silicon" {
  description = "Processor of the instances. graviton uses the least energy for most models, inferentia2 for deep learning that Neuron compiles. Use gpu and x86 for models that run on neither."
  type        = string
  default     = "graviton"
  nullable    = false

  validation {
    condition     = contains(["graviton", "inferentia2", "gpu", "x86"], var.silicon)
    error_message = "silicon must be one of \"graviton\", \"inferentia2\", \"gpu\", \"x86\"."
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

variable "variant_name" {
  description = "Name of the variant. To take over an endpoint that another module created, set the name of its existing variant, such as AllTraffic. SageMaker cannot rename the variant of an endpoint."
  type        = string
  default     = "main"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", var.variant_name))
    error_message = "variant_name must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = var.variant_name != "shadow"
    error_message = "variant_name: the name shadow belongs to the variant of shadow; choose another name."
  }
}

variable "verify_location" {
  description = "Read the identity and the Region of the provider, and warn if they are not account_id and region."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc_config" {
  description = "Network of the containers. Set the same subnets in `access`. Default: none."
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
    condition     = var.vpc_config == null ? true : try(length(var.vpc_config.subnets) >= 2, true)
    error_message = "vpc_config: subnets must hold at least 2."
  }

  validation {
    condition     = var.vpc_config == null ? true : try(alltrue([for item in var.vpc_config.subnets : can(regex("^subnet-[0-9a-f]{8}([0-9a-f]{9})?$", item))]), true)
    error_message = "each of vpc_config: subnets must be the id of a subnet such as subnet-0123456789abcdef0."
  }
}
