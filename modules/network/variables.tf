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

variable "bucket_account_ids" {
  description = "Other accounts. Programs in the VPC may use the buckets of these accounts, within IAM and bucket policies."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.bucket_account_ids : can(regex("^[0-9]{12}$", item))])
    error_message = "each of bucket_account_ids must be the 12 digits of an account."
  }
}

variable "client_cidr_blocks" {
  description = "Addresses of other clients of the interface endpoints, such as all of the VPC: 10.0.0.0/16."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.client_cidr_blocks : can(regex("^(\\d{1,3}\\.){3}\\d{1,3}/([89]|[12]\\d|3[0-2])$", item))])
    error_message = "each of client_cidr_blocks must be a range of IPv4 addresses such as 10.0.0.0/16."
  }
}

variable "client_security_group_ids" {
  description = "Security groups of other clients of the interface endpoints, such as Lambda functions, by a name of your choice."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for item in var.client_security_group_ids : can(regex("^sg-[0-9a-f]{8}([0-9a-f]{9})?$", item))])
    error_message = "each of client_security_group_ids must be the id of a security group such as sg-0123456789abcdef0."
  }

  validation {
    condition     = alltrue([for key in keys(var.client_security_group_ids) : can(regex("^[a-z][a-z0-9_]{0,29}$", key))])
    error_message = "each key of client_security_group_ids must be at most 30 lower-case letters, digits and underscores."
  }
}

variable "endpoint_subnet_ids" {
  description = "Subnets of the interface endpoints, at most one in each Availability Zone. Each zone is billed. Default: subnet_ids."
  type        = list(string)
  default     = null

  validation {
    condition     = var.endpoint_subnet_ids == null ? true : length(var.endpoint_subnet_ids) >= 1
    error_message = "endpoint_subnet_ids must hold at least 1."
  }

  validation {
    condition     = var.endpoint_subnet_ids == null ? true : alltrue([for item in var.endpoint_subnet_ids : can(regex("^subnet-[0-9a-f]{8}([0-9a-f]{9})?$", item))])
    error_message = "each of endpoint_subnet_ids must be the id of a subnet such as subnet-0123456789abcdef0."
  }
}

variable "existing_s3_prefix_list_id" {
  description = "Prefix list of S3, if the route tables already have a gateway endpoint for S3. Default: this module creates the endpoint."
  type        = string
  default     = null

  validation {
    condition     = var.existing_s3_prefix_list_id == null ? true : can(regex("^pl-[0-9a-f]{8}([0-9a-f]{9})?$", var.existing_s3_prefix_list_id))
    error_message = "existing_s3_prefix_list_id must be the id of a prefix list such as pl-0123456789abcdef0."
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

  validation {
    condition     = !can(regex("^sg-", var.name_prefix))
    error_message = "name_prefix: must not start with sg-, which EC2 refuses in the name of a security group."
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

variable "purposes" {
  description = "Purposes of programs in the VPC that need interface endpoints. All programs of the VPC then use these endpoints. Default: none, because jobs and endpoints need only S3."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.purposes : contains(["call_endpoints", "experiments", "feature_store", "images", "mlflow", "start_jobs", "studio"], item)])
    error_message = "each of purposes must be one of \"call_endpoints\", \"experiments\", \"feature_store\", \"images\", \"mlflow\", \"start_jobs\", \"studio\"."
  }

  validation {
    condition     = var.partition != "aws-cn" ? true : length(var.purposes) == 0
    error_message = "purposes: must be empty in China, where names of endpoint services differ; list their whole names in services."
  }
}

variable "readable_bucket_arns" {
  description = "Buckets of AWS or of other accounts that programs in the VPC may read, such as JumpStart's."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.readable_bucket_arns : can(regex("^arn:(aws|aws-cn|aws-us-gov):s3:::[a-z0-9.-]+$", item))])
    error_message = "each of readable_bucket_arns must be the ARN of a bucket such as arn:aws:s3:::jumpstart-cache-prod-eu-north-1."
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

variable "route_table_ids" {
  description = "Route tables of the subnets. They get a route to S3."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.route_table_ids) >= 1
    error_message = "route_table_ids must hold at least 1."
  }

  validation {
    condition     = alltrue([for item in var.route_table_ids : can(regex("^rtb-[0-9a-f]{8}([0-9a-f]{9})?$", item))])
    error_message = "each of route_table_ids must be the id of a route table such as rtb-0123456789abcdef0."
  }
}

variable "services" {
  description = "More services with an interface endpoint, such as kms, ssm or events."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.services : can(regex("^[a-z][a-z0-9.-]*[a-z0-9]$", item))])
    error_message = "each of services must be a service such as kms, or a whole name such as aws.sagemaker.eu-north-1.studio."
  }

  validation {
    condition     = alltrue([for service in var.services : !can(regex("(^|\\.)s3$", service))])
    error_message = "services: must not contain s3, which always has a gateway endpoint free of charge; remove it."
  }
}

variable "subnet_ids" {
  description = "Private subnets of jobs, endpoints and Studio, in two or more Availability Zones."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 1
    error_message = "subnet_ids must hold at least 1."
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

variable "verify_location" {
  description = "Read the identity and the Region of the provider, and warn if they are not account_id and region."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc_id" {
  description = "VPC of the subnets. Its DNS support and DNS host names must be on."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^vpc-[0-9a-f]{8}([0-9a-f]{9})?$", var.vpc_id))
    error_message = "vpc_id must be the id of a VPC such as vpc-0123456789abcdef0."
  }
}
