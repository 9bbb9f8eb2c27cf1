# Generated from module.py by smlops synth: change that, then run it again.

variable "data_capture_config" {
  description = "Refused: a serverless endpoint captures no requests; leave it out, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.data_capture_config == null
    error_message = "data_capture_config: a serverless endpoint captures no requests; leave it out, or use a real-time endpoint."
  }
}

variable "deployment" {
  description = "Refused: a serverless endpoint moves all requests at once, since parts of a deployment are instances; leave it out, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.deployment == null
    error_message = "deployment: a serverless endpoint moves all requests at once, since parts of a deployment are instances; leave it out, or use a real-time endpoint."
  }
}

variable "enable_network_isolation" {
  description = "Refused: a serverless endpoint takes no network isolation; leave it out, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.enable_network_isolation == null
    error_message = "enable_network_isolation: a serverless endpoint takes no network isolation; leave it out, or use a real-time endpoint."
  }
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
    condition     = var.image_uri == null ? true : !can(regex("-gpu-|aarch64|arm64|graviton|neuron", var.image_uri))
    error_message = "image_uri: this image is for GPU, Graviton or Inferentia, and a serverless endpoint has x86 alone; use the image for that."
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
  description = "Refused: a serverless endpoint has neither instances nor a GPU; set memory_mb, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.instance_type == null
    error_message = "instance_type: a serverless endpoint has neither instances nor a GPU; set memory_mb, or use a real-time endpoint."
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
  description = "Memory of one worker, in MB; its vCPUs follow."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = contains([1024, 2048, 3072, 4096, 5120, 6144], var.memory_mb)
    error_message = "memory_mb must be one of 1024, 2048, 3072, 4096, 5120, 6144."
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
  description = "Refused: a serverless endpoint is rolled back by no alarm; leave it out, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.more_rollback_alarms == null
    error_message = "more_rollback_alarms: a serverless endpoint is rolled back by no alarm; leave it out, or use a real-time endpoint."
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

variable "production_variants" {
  description = "Refused: a serverless endpoint has exactly one variant; leave it out, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.production_variants == null
    error_message = "production_variants: a serverless endpoint has exactly one variant; leave it out, or use a real-time endpoint."
  }
}

variable "provisioned_concurrency" {
  description = "Workers kept warm against cold starts, with autoscaling; none by default, to scale to zero."
  type = object({
    min                = number
    max                = number
    target_utilization = optional(number, 0.7)
  })
  default = null

  validation {
    condition     = var.provisioned_concurrency == null ? true : var.provisioned_concurrency.min >= 1 && var.provisioned_concurrency.min <= 200
    error_message = "provisioned_concurrency: min must be at least 1 and be at most 200."
  }

  validation {
    condition     = var.provisioned_concurrency == null ? true : var.provisioned_concurrency.max >= 1 && var.provisioned_concurrency.max <= 200
    error_message = "provisioned_concurrency: max must be at least 1 and be at most 200."
  }

  validation {
    condition     = var.provisioned_concurrency == null ? true : var.provisioned_concurrency.target_utilization >= 0.1 && var.provisioned_concurrency.target_utilization <= 1
    error_message = "provisioned_concurrency: target_utilization must be at least 0.1 and be at most 1."
  }

  validation {
    condition     = var.provisioned_concurrency == null ? true : (var.provisioned_concurrency.min <= var.provisioned_concurrency.max ? var.provisioned_concurrency.max <= var.max_concurrency : false)
    error_message = "provisioned_concurrency: min must be at most max, and max at most max_concurrency."
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

variable "silicon" {
  description = "Refused: a serverless endpoint has no choice of silicon; leave it out, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.silicon == null
    error_message = "silicon: a serverless endpoint has no choice of silicon; leave it out, or use a real-time endpoint."
  }
}

variable "tags" {
  description = "Tags of every resource, over the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "vpc_config" {
  description = "Refused: a serverless endpoint cannot join a VPC; leave it out, or use a real-time endpoint."
  type        = any
  default     = null

  validation {
    condition     = var.vpc_config == null
    error_message = "vpc_config: a serverless endpoint cannot join a VPC; leave it out, or use a real-time endpoint."
  }
}
