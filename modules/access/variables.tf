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

variable "buckets" {
  description = "Buckets by purpose, from `storage`. s3_paths refers to these keys."
  type = map(object({
    arn = string
  }))
  nullable = false

  validation {
    condition     = alltrue([for item in var.buckets : item != null])
    error_message = "each of buckets must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.buckets : can(regex("^arn:(aws|aws-cn|aws-us-gov):s3:::[a-z0-9.-]+$", item.arn))]), true)
    error_message = "buckets: arn must be the ARN of a bucket (arn:aws:s3:::name)."
  }
}

variable "decrypt_key_arns" {
  description = "KMS keys of other owners, in this Region, that these roles may decrypt with."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.decrypt_key_arns : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", item))])
    error_message = "each of decrypt_key_arns must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }

  validation {
    condition = alltrue([
      for text in var.decrypt_key_arns :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:${var.region}:", text))
    ])
    error_message = "decrypt_key_arns: must be a key in Region ${var.region}."
  }
}

variable "existing_role_arns" {
  description = "Existing roles by phase. Nothing is created for these phases."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for item in var.existing_role_arns : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", item))])
    error_message = "each of existing_role_arns must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = alltrue([for key in keys(var.existing_role_arns) : contains(["data_preparation", "training", "pipeline", "inference"], key)])
    error_message = "each key of existing_role_arns must be one of \"data_preparation\", \"training\", \"pipeline\", \"inference\"."
  }

  validation {
    condition = alltrue([
      for text in [for arn in var.existing_role_arns : arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "existing_role_arns: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
  }
}

variable "feature_group_names" {
  description = "Feature groups that data preparation writes, and training and inference read. Use names and not outputs of `feature_store`, which needs a role of this module."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.feature_group_names : can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]*$", item))])
    error_message = "each of feature_group_names must be a name of letters, digits and hyphens, without wildcards."
  }
}

variable "image_repository_arns" {
  description = "ECR repositories to pull from, in addition to SageMaker's framework images."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.image_repository_arns : can(regex("^arn:(aws|aws-cn|aws-us-gov):ecr:[a-z0-9-]+:[0-9]{12}:repository/.+$", item))])
    error_message = "each of image_repository_arns must be the ARN of an ECR repository (arn:aws:ecr:…:repository/…)."
  }

  validation {
    condition = alltrue([
      for text in var.image_repository_arns :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):ecr:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):ecr:${var.region}:", text))
    ])
    error_message = "image_repository_arns: must be repositories in Region ${var.region}."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the buckets, volumes and feature groups."
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

variable "model_package_group_names" {
  description = "Model package groups that pipelines register models in."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.model_package_group_names : can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]*$", item))])
    error_message = "each of model_package_group_names must be a name of letters, digits and hyphens, without wildcards."
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

variable "role_statements" {
  description = "Additional statements of these roles: a list of maps by phase, such as the outputs `role_statements` of other modules. Statements of a phase with the same sid are merged, with all their resources."
  type = list(map(list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    condition = optional(list(object({
      test     = string
      variable = string
      values   = list(string)
    })), [])
  }))))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for item in var.role_statements : item != null])
    error_message = "each of role_statements must not be null."
  }

  validation {
    condition     = alltrue([for item in var.role_statements : item == null ? true : alltrue([for item2 in item : item2 != null])])
    error_message = "each of role_statements must not be null."
  }

  validation {
    condition     = alltrue([for item in var.role_statements : item == null ? true : alltrue([for item2 in item : item2 == null ? true : alltrue([for item3 in item2 : item3 != null])])])
    error_message = "each of role_statements must not be null."
  }

  validation {
    condition     = alltrue([for item in var.role_statements : item == null ? true : alltrue([for item2 in item : item2 == null ? true : alltrue([for item3 in item2 : item3 == null ? true : item3.actions != null && item3.resources != null])])])
    error_message = "role_statements: actions and resources must not be null."
  }

  validation {
    condition     = alltrue([for item in var.role_statements : item == null ? true : alltrue([for item2 in item : item2 == null ? true : alltrue([for item3 in item2 : item3 == null ? true : item3.condition == null ? true : alltrue([for item4 in item3.condition : item4 != null])])])])
    error_message = "each of role_statements: condition must not be null."
  }

  validation {
    condition     = alltrue([for item in var.role_statements : item == null ? true : alltrue([for item2 in item : item2 == null ? true : alltrue([for item3 in item2 : item3 == null ? true : item3.condition == null ? true : alltrue([for item4 in item3.condition : item4 == null ? true : item4.test != null && item4.variable != null && item4.values != null])])])])
    error_message = "role_statements: condition: test, variable and values must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.role_statements : alltrue([for item2 in item : length(item2) >= 1])]), true)
    error_message = "each of role_statements must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.role_statements : alltrue([for item2 in item : alltrue([for item3 in item2 : can(regex("^[A-Za-z0-9]+$", item3.sid))])])]), true)
    error_message = "role_statements: sid must be letters and digits, without spaces."
  }

  validation {
    condition     = try(alltrue([for item in var.role_statements : alltrue([for item2 in item : alltrue([for item3 in item2 : length(item3.actions) >= 1])])]), true)
    error_message = "role_statements: actions must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.role_statements : alltrue([for item2 in item : alltrue([for item3 in item2 : alltrue([for item4 in item3.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9*?]+$", item4))])])])]), true)
    error_message = "each of role_statements: actions must be a service and one of its actions, such as sns:Publish."
  }

  validation {
    condition     = try(alltrue([for item in var.role_statements : alltrue([for item2 in item : alltrue([for item3 in item2 : length(item3.resources) >= 1])])]), true)
    error_message = "role_statements: resources must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.role_statements : alltrue([for item2 in item : alltrue([for item3 in item2 : alltrue([for item4 in item3.condition : length(item4.values) >= 1])])])]), true)
    error_message = "role_statements: condition: values must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.role_statements : alltrue([for key in keys(item) : contains(["data_preparation", "training", "pipeline", "inference"], key)])]), true)
    error_message = "each key of role_statements must be one of \"data_preparation\", \"training\", \"pipeline\", \"inference\"."
  }

  validation {
    condition = length(flatten([
      for phase in ["data_preparation", "training", "pipeline", "inference"] : [
        for sid in distinct([
          for one in flatten([for statements in var.role_statements : lookup(statements, phase, [])]) : one.sid
          ]) : "${phase}: ${sid}" if length(distinct([
            for one in flatten([for statements in var.role_statements : lookup(statements, phase, [])]) :
            jsonencode([one.actions, one.condition]) if one.sid == sid
        ])) > 1
      ]
    ])) == 0
    error_message = "role_statements: statements with the same sid must have the same actions and conditions; change the sid of ${join(", ", flatten([for phase in ["data_preparation", "training", "pipeline", "inference"] : [for sid in distinct([for one in flatten([for statements in var.role_statements : lookup(statements, phase, [])]) : one.sid]) : "${phase}: ${sid}" if length(distinct([for one in flatten([for statements in var.role_statements : lookup(statements, phase, [])]) : jsonencode([one.actions, one.condition]) if one.sid == sid])) > 1]]))}"
  }

  validation {
    condition = try(alltrue([
      for key, item in var.role_statements : alltrue([
        for key2, item2 in item : alltrue([
          for key3, item3 in item2 :
          length(distinct([for one in item3.condition : [one.test, one.variable]])) == length(item3.condition)
        ])
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.role_statements : join("; ", [for key2, item2 in item : join("; ", [for key3, item3 in item2 : "role_statements.${key}.${key2}.${key3}.condition: must not repeat a test of the same variable, because a policy keeps only one; remove the other" if !(length(distinct([for one in item3.condition : [one.test, one.variable]])) == length(item3.condition))]) if !alltrue([for key3, item3 in item2 : length(distinct([for one in item3.condition : [one.test, one.variable]])) == length(item3.condition)])]) if !alltrue([for key2, item2 in item : alltrue([for key3, item3 in item2 : length(distinct([for one in item3.condition : [one.test, one.variable]])) == length(item3.condition)])])]), "")
  }
}

variable "s3_paths" {
  description = "Paths in S3 that each phase reads and writes."
  type = object({
    data_preparation = optional(object({
      read  = list(string)
      write = optional(list(string), [])
      }), {
      read  = ["data/raw/", "artifacts/source/", "artifacts/models/"]
      write = ["data/feature-store/", "data/re-creatable/", "artifacts/runs/"]
    })
    training = optional(object({
      read  = list(string)
      write = optional(list(string), [])
      }), {
      read = ["data/feature-store/", "data/re-creatable/", "artifacts/source/"]
      write = [
        "artifacts/checkpoints/", "artifacts/models/", "artifacts/runs/", "artifacts/debug-output/",
      ]
    })
    pipeline = optional(object({
      read  = list(string)
      write = optional(list(string), [])
      }), {
      read = ["artifacts/models/", "artifacts/runs/", "artifacts/source/"]
    })
    inference = optional(object({
      read  = list(string)
      write = optional(list(string), [])
      }), {
      read  = ["artifacts/models/", "artifacts/source/", "data/re-creatable/"]
      write = ["artifacts/async-inference/", "data/captures/", "data/re-creatable/predictions/"]
    })
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.s3_paths.data_preparation == null ? true : var.s3_paths.data_preparation.read != null
    error_message = "s3_paths: data_preparation: read must not be null."
  }

  validation {
    condition     = var.s3_paths.training == null ? true : var.s3_paths.training.read != null
    error_message = "s3_paths: training: read must not be null."
  }

  validation {
    condition     = var.s3_paths.pipeline == null ? true : var.s3_paths.pipeline.read != null
    error_message = "s3_paths: pipeline: read must not be null."
  }

  validation {
    condition     = var.s3_paths.inference == null ? true : var.s3_paths.inference.read != null
    error_message = "s3_paths: inference: read must not be null."
  }

  validation {
    condition     = try(length(var.s3_paths.data_preparation.read) >= 1, true)
    error_message = "s3_paths: data_preparation: read must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.s3_paths.data_preparation.read : can(regex("^[a-z0-9-]+/([^*?]+/)?$", item))]), true)
    error_message = "each of s3_paths: data_preparation: read must be the key of a bucket and a prefix that ends with a slash, such as data/raw/."
  }

  validation {
    condition     = try(alltrue([for item in var.s3_paths.data_preparation.write : can(regex("^[a-z0-9-]+/([^*?]+/)?$", item))]), true)
    error_message = "each of s3_paths: data_preparation: write must be the key of a bucket and a prefix that ends with a slash, such as data/raw/."
  }

  validation {
    condition     = try(length(var.s3_paths.training.read) >= 1, true)
    error_message = "s3_paths: training: read must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.s3_paths.training.read : can(regex("^[a-z0-9-]+/([^*?]+/)?$", item))]), true)
    error_message = "each of s3_paths: training: read must be the key of a bucket and a prefix that ends with a slash, such as data/raw/."
  }

  validation {
    condition     = try(alltrue([for item in var.s3_paths.training.write : can(regex("^[a-z0-9-]+/([^*?]+/)?$", item))]), true)
    error_message = "each of s3_paths: training: write must be the key of a bucket and a prefix that ends with a slash, such as data/raw/."
  }

  validation {
    condition     = try(length(var.s3_paths.pipeline.read) >= 1, true)
    error_message = "s3_paths: pipeline: read must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.s3_paths.pipeline.read : can(regex("^[a-z0-9-]+/([^*?]+/)?$", item))]), true)
    error_message = "each of s3_paths: pipeline: read must be the key of a bucket and a prefix that ends with a slash, such as data/raw/."
  }

  validation {
    condition     = try(alltrue([for item in var.s3_paths.pipeline.write : can(regex("^[a-z0-9-]+/([^*?]+/)?$", item))]), true)
    error_message = "each of s3_paths: pipeline: write must be the key of a bucket and a prefix that ends with a slash, such as data/raw/."
  }

  validation {
    condition     = try(length(var.s3_paths.inference.read) >= 1, true)
    error_message = "s3_paths: inference: read must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.s3_paths.inference.read : can(regex("^[a-z0-9-]+/([^*?]+/)?$", item))]), true)
    error_message = "each of s3_paths: inference: read must be the key of a bucket and a prefix that ends with a slash, such as data/raw/."
  }

  validation {
    condition     = try(alltrue([for item in var.s3_paths.inference.write : can(regex("^[a-z0-9-]+/([^*?]+/)?$", item))]), true)
    error_message = "each of s3_paths: inference: write must be the key of a bucket and a prefix that ends with a slash, such as data/raw/."
  }

  validation {
    condition = length(flatten([
      for phase, paths in var.s3_paths : [
        for path in concat(paths.read, paths.write) : "${phase}: ${path}"
        if !contains(keys(var.existing_role_arns), phase) ? !contains(keys(var.buckets), regex("^[^/]+", path)) : false
      ]
    ])) == 0
    error_message = "s3_paths: each path must start with a key of buckets (${join(", ", keys(var.buckets))}) and a slash; correct ${join(", ", flatten([for phase, paths in var.s3_paths : [for path in concat(paths.read, paths.write) : "${phase}: ${path}" if !contains(keys(var.existing_role_arns), phase) ? !contains(keys(var.buckets), regex("^[^/]+", path)) : false]]))}"
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

variable "vpc" {
  description = "Network that jobs and endpoints may join. Default: none."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = var.vpc == null ? true : var.vpc.subnet_ids != null && var.vpc.security_group_ids != null
    error_message = "vpc: subnet_ids and security_group_ids must not be null."
  }

  validation {
    condition     = var.vpc == null ? true : try(length(var.vpc.subnet_ids) >= 1, true)
    error_message = "vpc: subnet_ids must hold at least 1."
  }

  validation {
    condition     = var.vpc == null ? true : try(alltrue([for item in var.vpc.subnet_ids : can(regex("^subnet-[0-9a-f]{8}([0-9a-f]{9})?$", item))]), true)
    error_message = "each of vpc: subnet_ids must be the id of a subnet such as subnet-0123456789abcdef0."
  }

  validation {
    condition     = var.vpc == null ? true : try(length(var.vpc.security_group_ids) >= 1, true)
    error_message = "vpc: security_group_ids must hold at least 1."
  }

  validation {
    condition     = var.vpc == null ? true : try(alltrue([for item in var.vpc.security_group_ids : can(regex("^sg-[0-9a-f]{8}([0-9a-f]{9})?$", item))]), true)
    error_message = "each of vpc: security_group_ids must be the id of a security group such as sg-0123456789abcdef0."
  }
}
