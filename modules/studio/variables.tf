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

variable "auth_mode" {
  description = "Sign-in with IAM, or with IAM Identity Center (SSO). It cannot change later."
  type        = string
  default     = "IAM"
  nullable    = false

  validation {
    condition     = contains(["IAM", "SSO"], var.auth_mode)
    error_message = "auth_mode must be one of \"IAM\", \"SSO\"."
  }
}

variable "deletion_protection" {
  description = "Refuse every plan that would delete or replace the data of this module. False allows `terraform destroy` to delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "disk_gb" {
  description = "Disks of the spaces that users create, in GB."
  type = object({
    default = optional(number, 5)
    max     = optional(number, 50)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.disk_gb.default >= 5 && var.disk_gb.default <= 16384
    error_message = "disk_gb: default must be at least 5 and be at most 16384."
  }

  validation {
    condition     = var.disk_gb.max >= 5 && var.disk_gb.max <= 16384
    error_message = "disk_gb: max must be at least 5 and be at most 16384."
  }

  validation {
    condition     = var.disk_gb.default <= var.disk_gb.max
    error_message = "disk_gb: default must be at most max."
  }
}

variable "hidden_instance_types" {
  description = "Instance types that Studio does not offer, such as those with a GPU."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.hidden_instance_types : can(regex("^ml\\.[a-z0-9-]+\\.[a-z0-9]+$", item))])
    error_message = "each of hidden_instance_types must be an instance type such as ml.t3.medium."
  }
}

variable "keep_home_directories" {
  description = "Keep the file system with the home directories when the domain is deleted."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key of the file system and of the disks. It cannot change later."
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

variable "lifecycle_scripts" {
  description = "Scripts that users can choose for their apps, by name."
  type = map(object({
    app_type = optional(string, "JupyterLab")
    script   = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.lifecycle_scripts : item != null])
    error_message = "each of lifecycle_scripts must not be null."
  }

  validation {
    condition     = alltrue([for item in var.lifecycle_scripts : item == null ? true : item.script != null])
    error_message = "lifecycle_scripts: script must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.lifecycle_scripts : contains(["JupyterLab", "CodeEditor"], item.app_type)]), true)
    error_message = "lifecycle_scripts: app_type must be one of \"JupyterLab\", \"CodeEditor\"."
  }

  validation {
    condition     = try(alltrue([for item in var.lifecycle_scripts : length(item.script) >= 1]), true)
    error_message = "lifecycle_scripts: script must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.lifecycle_scripts) : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,27}[a-zA-Z0-9])?$", key))]), true)
    error_message = "each key of lifecycle_scripts must be 1 to 29 letters, digits and hyphens, such as private-index."
  }

  validation {
    condition     = alltrue([for one in var.lifecycle_scripts : length(base64encode(one.script)) <= 16384])
    error_message = "lifecycle_scripts: a script may have at most 12288 bytes; let it download the rest."
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

variable "network_access" {
  description = "VpcOnly, or PublicInternetOnly for apps with access to the internet."
  type        = string
  default     = "VpcOnly"
  nullable    = false

  validation {
    condition     = contains(["VpcOnly", "PublicInternetOnly"], var.network_access)
    error_message = "network_access must be one of \"VpcOnly\", \"PublicInternetOnly\"."
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
  description = "Role of the apps."
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

variable "security_group_ids" {
  description = "Security groups of the apps. They must allow traffic between the apps."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.security_group_ids) >= 1 && length(var.security_group_ids) <= 3
    error_message = "security_group_ids must hold at least 1 and hold at most 3."
  }

  validation {
    condition     = alltrue([for item in var.security_group_ids : can(regex("^sg-[0-9a-f]{8}([0-9a-f]{9})?$", item))])
    error_message = "each of security_group_ids must be the id of a security group such as sg-0123456789abcdef0."
  }
}

variable "spaces" {
  description = "Private spaces by name. Users can create more."
  type = map(object({
    app_type = optional(string, "JupyterLab")
    disk_gb  = optional(number, 5)
    user     = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.spaces : item != null])
    error_message = "each of spaces must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.spaces : contains(["JupyterLab", "CodeEditor"], item.app_type)]), true)
    error_message = "spaces: app_type must be one of \"JupyterLab\", \"CodeEditor\"."
  }

  validation {
    condition     = try(alltrue([for item in var.spaces : item.disk_gb >= 5]), true)
    error_message = "spaces: disk_gb must be at least 5."
  }

  validation {
    condition     = try(alltrue([for item in var.spaces : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", item.user))]), true)
    error_message = "spaces: user must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.spaces) : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", key))]), true)
    error_message = "each key of spaces must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = alltrue([for space in var.spaces : contains(keys(var.users), space.user)])
    error_message = "spaces: user must be a key of users; add the user, or correct its name."
  }

  validation {
    condition     = alltrue([for space in var.spaces : space.disk_gb <= var.disk_gb.max])
    error_message = "spaces: disk_gb must be at most ${var.disk_gb.max}, the value of disk_gb.max; lower it, or raise disk_gb.max."
  }
}

variable "subnet_ids" {
  description = "Subnets of the apps. A change replaces the domain."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 1 && length(var.subnet_ids) <= 16
    error_message = "subnet_ids must hold at least 1 and hold at most 16."
  }

  validation {
    condition     = alltrue([for item in var.subnet_ids : can(regex("^subnet-[0-9a-f]{8}([0-9a-f]{9})?$", item))])
    error_message = "each of subnet_ids must be the id of a subnet such as subnet-0123456789abcdef0."
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

variable "tracking_server" {
  description = "MLflow tracking server, which is stopped in off hours. Default: none."
  type = object({
    artifacts_s3_uri             = string
    automatic_model_registration = optional(bool, false)
    mlflow_version               = optional(string)
    off_hours = object({
      begin    = string
      end      = optional(string)
      timezone = string
    })
    role_arn = optional(string)
    size     = optional(string, "Small")
  })
  default = null

  validation {
    condition     = var.tracking_server == null ? true : var.tracking_server.off_hours != null
    error_message = "tracking_server: off_hours must not be null."
  }

  validation {
    condition     = var.tracking_server == null ? true : var.tracking_server.off_hours == null ? true : var.tracking_server.off_hours.timezone != null
    error_message = "tracking_server: off_hours: timezone must not be null."
  }

  validation {
    condition     = var.tracking_server == null ? true : can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/*?\\s]+)+$", var.tracking_server.artifacts_s3_uri))
    error_message = "tracking_server: artifacts_s3_uri must be a prefix in a bucket, without wildcards or a slash at its end: s3://bucket/mlflow."
  }

  validation {
    condition     = var.tracking_server == null ? true : try(var.tracking_server.mlflow_version == null ? true : can(regex("^[0-9]+\\.[0-9]+$", var.tracking_server.mlflow_version)), true)
    error_message = "tracking_server: mlflow_version must be two numbers such as 3.0, because AWS refuses a third, as in 3.0.1."
  }

  validation {
    condition     = var.tracking_server == null ? true : can(regex("^cron\\(\\S+ \\S+ (\\? \\S+ [^\\s?]\\S*|[^\\s?]\\S* \\S+ \\?) [^\\s)]+\\)$", var.tracking_server.off_hours.begin))
    error_message = "tracking_server: off_hours: begin must be a cron expression of six fields, ? for the day of the month or of the week: cron(0 20 ? * MON-FRI *)."
  }

  validation {
    condition     = var.tracking_server == null ? true : try(var.tracking_server.off_hours.end == null ? true : can(regex("^cron\\(\\S+ \\S+ (\\? \\S+ [^\\s?]\\S*|[^\\s?]\\S* \\S+ \\?) [^\\s)]+\\)$", var.tracking_server.off_hours.end)), true)
    error_message = "tracking_server: off_hours: end must be a cron expression of six fields, ? for the day of the month or of the week: cron(0 20 ? * MON-FRI *)."
  }

  validation {
    condition     = var.tracking_server == null ? true : try(var.tracking_server.role_arn == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", var.tracking_server.role_arn)), true)
    error_message = "tracking_server: role_arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = var.tracking_server == null ? true : try(contains(["Small", "Medium", "Large"], var.tracking_server.size), true)
    error_message = "tracking_server: size must be one of \"Small\", \"Medium\", \"Large\"."
  }

  validation {
    condition = alltrue([
      for text in flatten([for server in var.tracking_server[*] : server.role_arn[*]]) :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "tracking_server: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
  }

  validation {
    condition = try(var.tracking_server == null ? true : alltrue([
      for field, pattern in local.cron : can(regex(pattern, var.tracking_server.off_hours.begin))
    ]), true)
    error_message = try(var.tracking_server == null ? "" : "tracking_server.off_hours.begin: ${var.tracking_server.off_hours.begin} has invalid ${join(", ", [for field, pattern in local.cron : field if !can(regex(pattern, var.tracking_server.off_hours.begin))])}.", "")
  }

  validation {
    condition = try(var.tracking_server == null ? true : alltrue([
      for expression in var.tracking_server.off_hours.end[*] :
      alltrue([for field, pattern in local.cron : can(regex(pattern, expression))])
    ]), true)
    error_message = try(var.tracking_server == null ? "" : "tracking_server.off_hours.end: ${var.tracking_server.off_hours.end} has invalid ${join(", ", [for field, pattern in local.cron : field if !can(regex(pattern, var.tracking_server.off_hours.end))])}.", "")
  }

  validation {
    condition     = try(var.tracking_server == null ? true : contains(local.time_zones, var.tracking_server.off_hours.timezone), true)
    error_message = try(var.tracking_server == null ? "" : "tracking_server.off_hours.timezone: ${var.tracking_server.off_hours.timezone} is not the name of a time zone; use one such as Europe/Stockholm, or UTC.", "")
  }
}

variable "users" {
  description = "User profiles by name."
  type = map(object({
    role_arn      = optional(string)
    sso_user_name = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.users : item != null])
    error_message = "each of users must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.users : item.role_arn == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", item.role_arn))]), true)
    error_message = "users: role_arn must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = try(alltrue([for item in var.users : item.sso_user_name == null ? true : length(item.sso_user_name) >= 1]), true)
    error_message = "users: sso_user_name must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.users) : can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$", key))]), true)
    error_message = "each key of users must be 1 to 63 letters, digits and hyphens, without a hyphen at the start or the end."
  }

  validation {
    condition     = alltrue([for user in var.users : user.sso_user_name == null == (var.auth_mode == "IAM")])
    error_message = "users: each user needs sso_user_name with auth_mode SSO, and none may have it with auth_mode IAM."
  }

  validation {
    condition = alltrue([
      for text in flatten([for user in var.users : user.role_arn[*]]) :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::${var.account_id}:", text))
    ])
    error_message = "users: must be a role of account ${var.account_id}; AWS refuses roles of other accounts."
  }
}

variable "verify_location" {
  description = "Read the identity and the Region of the provider, and warn if they are not account_id and region."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc_id" {
  description = "VPC of the subnets. A change replaces the domain."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^vpc-[0-9a-f]{8}([0-9a-f]{9})?$", var.vpc_id))
    error_message = "vpc_id must be the id of a VPC such as vpc-0123456789abcdef0."
  }
}
