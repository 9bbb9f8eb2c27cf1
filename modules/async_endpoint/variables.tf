# Generated from module.py by smlops synth: change that, then run it again.

variable "account_id" {
  description = "Account that this is created in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an account."
  }
}

variable "alarm_actions" {
  description = "Who is told when one of the alarms that roll a deployment back goes off, also outside one: ARNs of SNS topics."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.alarm_actions : can(regex("^arn:(aws|aws-cn|aws-us-gov):[a-z0-9-]+:.+$", item))])
    error_message = "each of alarm_actions must be an ARN, such as that of an SNS topic."
  }
}

variable "aws_provider" {
  description = "Major version of the AWS provider that is in use, which a module cannot see: 5 refuses newer types, such as ml.c8g, which 6 takes."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = contains([5, 6], var.aws_provider)
    error_message = "aws_provider must be one of 5, 6."
  }
}

variable "bake_seconds" {
  description = "How long a new model serves beside the old one's instances before these go, in seconds: within it an alarm brings the old model back."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.bake_seconds >= 0 && var.bake_seconds <= 3000
    error_message = "bake_seconds must be at least 0 and be at most 3000."
  }
}

variable "enable_network_isolation" {
  description = "Keep the container off every network; SageMaker itself fetches the model and the requests."
  type        = bool
  default     = true
  nullable    = false
}

variable "environment_variables" {
  description = "Environment variables of the container; never secrets, since they can be read."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "image_uri" {
  description = "Container image in Amazon ECR, for the hardware that it runs on."
  type        = string
  default     = null

  validation {
    condition     = var.image_uri == null ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[^ ]+$", var.image_uri))
    error_message = "image_uri must be an image in Amazon ECR; no other registry is taken."
  }

  validation {
    condition     = var.image_uri == null ? true : !can(regex(lookup(local.images_not_for, var.silicon, "^$"), var.image_uri))
    error_message = "image_uri: this image is for ${join(" and ", [for silicon, pattern in local.images_for : silicon if can(regex(pattern, var.image_uri))])}, and ${var.instance_type} is ${var.silicon}; use the image for that, or other silicon."
  }

  validation {
    condition     = var.silicon != "inferentia2" ? true : (var.image_uri == null ? true : can(regex("neuron", var.image_uri)))
    error_message = "image_uri: Inferentia runs Neuron images alone, whose names say neuron; use one, or other silicon."
  }
}

variable "inference_specification_name" {
  description = "Which of the package's additional inference specifications to serve by, such as its image for Graviton; the package's own by default."
  type        = string
  default     = null

  validation {
    condition     = var.inference_specification_name == null ? true : can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", var.inference_specification_name))
    error_message = "inference_specification_name must be 1 to 63 letters, digits and hyphens, and neither start nor end with a hyphen."
  }

  validation {
    condition     = var.inference_specification_name == null ? true : var.model_package_arn != null
    error_message = "inference_specification_name: it is of a model package; give model_package_arn, or leave it out."
  }
}

variable "instance_type" {
  description = "Type of the instances, of this silicon; one with a local disk encrypts that itself, without kms_key_arn."
  type        = string
  default     = "ml.c7g.xlarge"
  nullable    = false

  validation {
    condition     = can(regex("^ml\\.[a-z0-9-]+\\.[a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be an instance type such as ml.c7g.xlarge."
  }

  validation {
    condition     = concat(split(".", var.instance_type), ["", ""])[1] != "inf1"
    error_message = "instance_type: the first Inferentia takes no deployment guardrails and no Neuron image of today; use ml.inf2."
  }

  validation {
    condition     = !can(regex("^ml\\.t[0-9]", var.instance_type))
    error_message = "instance_type: burstable instances are refused by Application Auto Scaling, which makes this as small as its load; use another family."
  }

  validation {
    condition     = contains(lookup(local.families, var.silicon, []), concat(split(".", var.instance_type), ["", ""])[1])
    error_message = "instance_type: ${var.instance_type} is no ${var.silicon} that SageMaker hosts on; its families are ${join(", ", lookup(local.families, var.silicon, []))}."
  }

  validation {
    condition     = !contains(keys(local.sizes), concat(split(".", var.instance_type), ["", ""])[1]) ? true : contains(lookup(local.sizes, concat(split(".", var.instance_type), ["", ""])[1], []), concat(split(".", var.instance_type), ["", ""])[2])
    error_message = "instance_type: SageMaker hosts on no ${var.instance_type}; sizes of ${concat(split(".", var.instance_type), ["", ""])[1]} are ${join(", ", lookup(local.sizes, concat(split(".", var.instance_type), ["", ""])[1], []))}."
  }

  validation {
    condition     = var.aws_provider > 5 ? true : !(contains(local.refused_by_provider_5, concat(split(".", var.instance_type), ["", ""])[1]) ? true : contains(local.refused_by_provider_5, var.instance_type))
    error_message = "instance_type: version 5 of the AWS provider refuses ${var.instance_type}; use another ${var.silicon}, or version 6 and aws_provider = 6."
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
  description = "Key of the storage and the logs; its policy must let CloudWatch Logs use it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }
}

variable "log_retention_days" {
  description = "How long the container's logs are kept, in days."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "max_instances" {
  description = "Most instances at once."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.max_instances >= 1
    error_message = "max_instances must be at least 1."
  }
}

variable "min_instances" {
  description = "Instances kept while no request waits; 0 lets it go, and the first request wake it."
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
  description = "Model archive for image_uri to serve: s3://bucket/…/model.tar.gz."
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
    error_message = "model_package_arn: give either a model package, or image_uri (and model_data_url, unless the image holds the model); a package brings its own image and model."
  }
}

variable "more_rollback_alarms" {
  description = "Names of further alarms, on metrics, that roll a deployment back, such as one on the model's own."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.more_rollback_alarms) <= 2
    error_message = "more_rollback_alarms must hold at most 2."
  }
}

variable "name" {
  description = "Name of the endpoint, and start of its configurations' names; name_prefix by default."
  type        = string
  default     = null

  validation {
    condition     = var.name == null ? true : length(var.name) <= 63 && can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", var.name))
    error_message = "name must be 1 to 63 letters, digits and hyphens, and neither start nor end with a hyphen."
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

variable "region" {
  description = "Region that this is created in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(us-gov|[a-z]{2})-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[0-9]$", var.region))
    error_message = "region must be a Region such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
  }
}

variable "requests_per_instance" {
  description = "Requests that an instance works on at once; SageMaker chooses by default."
  type        = number
  default     = null

  validation {
    condition     = var.requests_per_instance == null ? true : var.requests_per_instance >= 1 && var.requests_per_instance <= 1000
    error_message = "requests_per_instance must be at least 1 and be at most 1000."
  }
}

variable "role_arn" {
  description = "Role of the container: it reads the model and writes logs and metrics."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }
}

variable "rollback_failures" {
  description = "Failed requests that a minute may have; more in two of five minutes bring the old model back."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.rollback_failures >= 0
    error_message = "rollback_failures must be at least 0."
  }
}

variable "s3_uri" {
  description = "Prefix that requests, answers and failures lie under, in a folder of the endpoint's name; what is there should expire."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\\s]+)+$", var.s3_uri))
    error_message = "s3_uri must be a prefix in a bucket, without wildcards or a slash at its end: s3://bucket/async-inference."
  }
}

variable "scale_in_cooldown_seconds" {
  description = "How long after it took an instance away it takes no other, in seconds."
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
  description = "What computes: graviton takes the least energy for most models, inferentia2 for deep learning that Neuron compiles; gpu and x86 are for what neither runs."
  type        = string
  default     = "graviton"
  nullable    = false

  validation {
    condition     = contains(["graviton", "inferentia2", "gpu", "x86"], var.silicon)
    error_message = "silicon must be one of \"graviton\", \"inferentia2\", \"gpu\", \"x86\"."
  }
}

variable "tags" {
  description = "Tags of every resource, over the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "target_backlog_per_instance" {
  description = "Waiting requests for each instance; with more, instances are added."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.target_backlog_per_instance >= 0.1
    error_message = "target_backlog_per_instance must be at least 0.1."
  }
}
