# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

variable "account_id" {
  description = "Account of the resources. Default: the account of kms_key_arn."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null ? true : can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an account."
  }
}

# tflint-ignore: terraform_unused_declarations # its validation refuses every value
variable "data_capture_config" {
  description = "Not supported: a serverless endpoint cannot capture requests; remove it, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.data_capture_config == null
    error_message = "data_capture_config: a serverless endpoint cannot capture requests; remove it, or use a real-time endpoint."
  }
}

# tflint-ignore: terraform_unused_declarations # its validation refuses every value
variable "deployment" {
  description = "Not supported: a serverless endpoint moves all requests in one step, because it has no instances to deploy in steps; remove it, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.deployment == null
    error_message = "deployment: a serverless endpoint moves all requests in one step, because it has no instances to deploy in steps; remove it, or use a real-time endpoint."
  }
}

# tflint-ignore: terraform_unused_declarations # its validation refuses every value
variable "enable_network_isolation" {
  description = "Not supported: a serverless endpoint does not support network isolation; remove it, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.enable_network_isolation == null
    error_message = "enable_network_isolation: a serverless endpoint does not support network isolation; remove it, or use a real-time endpoint."
  }
}

variable "environment_variables" {
  description = "Environment variables of the container. They are readable, so never put secrets in them."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "image_uri" {
  description = "Container image in Amazon ECR, for x86."
  type        = string
  default     = null

  validation {
    condition     = var.image_uri == null ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[^ ]+$", var.image_uri))
    error_message = "image_uri must be an image in Amazon ECR; other registries are not supported."
  }

  validation {
    condition = alltrue([
      for text in var.image_uri[*] :
      !can(regex("^[0-9]{12}\\.dkr\\.ecr\\.", text)) ? true : can(regex("^[0-9]{12}\\.dkr\\.ecr\\.${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}\\.", text))
    ])
    error_message = "image_uri: must be an image in a registry in Region ${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}."
  }

  validation {
    condition     = var.image_uri == null ? true : !can(regex("-gpu-|aarch64|arm64|graviton|neuron", var.image_uri))
    error_message = "image_uri: this image is for GPU, Graviton or Inferentia, and a serverless endpoint has only x86; use an image for x86."
  }
}

variable "inference_specification_name" {
  description = "Additional inference specification of the package to use, with an image for x86. Default: the package's main specification."
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

# tflint-ignore: terraform_unused_declarations # its validation refuses every value
variable "instance_type" {
  description = "Not supported: a serverless endpoint has neither instances nor a GPU; set memory_mb, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.instance_type == null
    error_message = "instance_type: a serverless endpoint has neither instances nor a GPU; set memory_mb, or use a real-time endpoint."
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
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}:", text))
    ])
    error_message = "kms_key_arn: must be a key in Region ${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}."
  }

  validation {
    condition = !contains([
      "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
      "ap-southeast-7", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-2", "eu-south-2",
      "il-central-1", "me-central-1", "mx-central-1", "us-gov-east-1", "us-gov-west-1",
    ], coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+")))
    error_message = "kms_key_arn: SageMaker has no Serverless Inference in ${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}; use another Region, or a real-time endpoint."
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

variable "max_concurrency" {
  description = "Maximum concurrent requests; more are throttled. All serverless endpoints of an account share a quota in each Region, 10 in a new account."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_concurrency >= 1 && var.max_concurrency <= 200
    error_message = "max_concurrency must be at least 1 and be at most 200."
  }
}

variable "memory_mb" {
  description = "Memory of one worker, in MB. It determines the vCPUs."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = contains([1024, 2048, 3072, 4096, 5120, 6144], var.memory_mb)
    error_message = "memory_mb must be one of 1024, 2048, 3072, 4096, 5120, 6144."
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
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):sagemaker:${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}:", text))
    ])
    error_message = "model_package_arn: must be a model package in Region ${coalesce(var.region, try(regex("^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):", var.kms_key_arn)[1], "[a-z0-9-]+"))}."
  }
}

# tflint-ignore: terraform_unused_declarations # its validation refuses every value
variable "more_rollback_alarms" {
  description = "Not supported: a serverless endpoint has no rollback alarms; remove it, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.more_rollback_alarms == null
    error_message = "more_rollback_alarms: a serverless endpoint has no rollback alarms; remove it, or use a real-time endpoint."
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

# tflint-ignore: terraform_unused_declarations # its validation refuses every value
variable "production_variants" {
  description = "Not supported: a serverless endpoint has exactly one variant; remove it, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.production_variants == null
    error_message = "production_variants: a serverless endpoint has exactly one variant; remove it, or use a real-time endpoint."
  }
}

variable "provisioned_concurrency" {
  description = "Warm workers with autoscaling, to avoid cold starts. Default: none, so it scales to zero."
  type = object({
    min                = number
    max                = number
    target_utilization = optional(number, 0.7)
  })
  default = null

  validation {
    condition     = var.provisioned_concurrency == null ? true : var.provisioned_concurrency.min != null && var.provisioned_concurrency.max != null
    error_message = "provisioned_concurrency: min and max must not be null."
  }

  validation {
    condition     = var.provisioned_concurrency == null ? true : try(var.provisioned_concurrency.min >= 1 && var.provisioned_concurrency.min <= 200, true)
    error_message = "provisioned_concurrency: min must be at least 1 and be at most 200."
  }

  validation {
    condition     = var.provisioned_concurrency == null ? true : try(var.provisioned_concurrency.max >= 1 && var.provisioned_concurrency.max <= 200, true)
    error_message = "provisioned_concurrency: max must be at least 1 and be at most 200."
  }

  validation {
    condition     = var.provisioned_concurrency == null ? true : try(var.provisioned_concurrency.target_utilization >= 0.1 && var.provisioned_concurrency.target_utilization <= 1, true)
    error_message = "provisioned_concurrency: target_utilization must be at least 0.1 and be at most 1."
  }

  validation {
    condition     = var.provisioned_concurrency == null ? true : (var.provisioned_concurrency.min <= var.provisioned_concurrency.max ? var.provisioned_concurrency.max <= var.max_concurrency : false)
    error_message = "provisioned_concurrency: min must be at most max, and max at most max_concurrency."
  }
}

variable "region" {
  description = "Region of the resources. Default: the Region of kms_key_arn."
  type        = string
  default     = null

  validation {
    condition     = var.region == null ? true : contains(["af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"], var.region)
    error_message = "region must be a Region of the catalogue such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
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
    condition     = !can(split(":", var.role_arn)[4]) ? true : (!can(split(":", var.kms_key_arn)[4]) ? true : split(":", var.role_arn)[4] == coalesce(var.account_id, split(":", var.kms_key_arn)[4]))
    error_message = "role_arn: must be a role of account_id; without account_id, of the account of kms_key_arn"
  }
}

# tflint-ignore: terraform_unused_declarations # its validation refuses every value
variable "silicon" {
  description = "Not supported: a serverless endpoint has no choice of silicon; remove it, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.silicon == null
    error_message = "silicon: a serverless endpoint has no choice of silicon; remove it, or use a real-time endpoint."
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
}

# tflint-ignore: terraform_unused_declarations # its validation refuses every value
variable "vpc_config" {
  description = "Not supported: a serverless endpoint cannot join a VPC; remove it, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.vpc_config == null
    error_message = "vpc_config: a serverless endpoint cannot join a VPC; remove it, or use a real-time endpoint."
  }
}
