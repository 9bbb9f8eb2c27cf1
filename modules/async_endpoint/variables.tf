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

variable "bake_seconds" {
  description = "Time that the old instances stay after a new model takes over, in seconds. An alarm during this time rolls back."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.bake_seconds >= 0 && var.bake_seconds <= 3000
    error_message = "bake_seconds must be at least 0 and be at most 3000."
  }
}

variable "enable_network_isolation" {
  description = "Isolate the container from every network. SageMaker itself fetches the model and the requests."
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
  default     = "ml.c7g.xlarge"
  nullable    = false

  validation {
    condition     = can(regex("^ml\\.[a-z0-9-]+\\.[a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be an instance type such as ml.c7g.xlarge."
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
  description = "Maximum number of instances."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.max_instances >= 1
    error_message = "max_instances must be at least 1."
  }
}

variable "min_instances" {
  description = "Minimum number of instances. With 0, the endpoint scales to zero without requests."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.min_instances >= 0
    error_message = "min_instances must be at least 0."
  }

  validation {
    condition     = var.min_instances <= var.max_instances
    error_message = "min_instances: must be at most max_instances, which is ${var.max_instances}."
  }
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
    condition     = var.model_package_arn == null ? var.image_uri != null : (var.image_uri == null ? var.model_data_url == null : false)
    error_message = "model_package_arn: set either a model package, or image_uri (with model_data_url unless the image contains the model); a package has its own image and model."
  }

  validation {
    condition = alltrue([
      for text in var.model_package_arn[*] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:${var.region}:", text))
    ])
    error_message = "model_package_arn: must be a model package in Region ${var.region}."
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
  description = "Concurrent requests per instance. Default: SageMaker chooses."
  type        = number
  default     = null

  validation {
    condition     = var.requests_per_instance == null ? true : var.requests_per_instance >= 1 && var.requests_per_instance <= 1000
    error_message = "requests_per_instance must be at least 1 and be at most 1000."
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

variable "rollback_failures" {
  description = "Maximum number of failed requests per minute. If two of five minutes exceed it, SageMaker rolls a deployment back."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.rollback_failures >= 0
    error_message = "rollback_failures must be at least 0."
  }
}

variable "s3_uri" {
  description = "S3 prefix of requests, responses and failures, in a folder with the endpoint's name. Objects there should expire."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\\s]+)+$", var.s3_uri))
    error_message = "s3_uri must be a prefix in a bucket, without wildcards or a slash at its end: s3://bucket/async-inference."
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

variable "scale_in_while_busy" {
  description = "Remove instances even while requests run, once the backlog is small. Use it for a steady stream of short requests. The removal of an instance may interrupt a request."
  type        = bool
  default     = false
  nullable    = false
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

variable "target_backlog_per_instance" {
  description = "Target of waiting requests per instance. With more, instances are added."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.target_backlog_per_instance >= 0.1
    error_message = "target_backlog_per_instance must be at least 0.1."
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
