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

variable "additional_actions" {
  description = "Actions that the permissions boundary allows in addition to the actions of this project's modules, such as lambda:*."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.additional_actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9*?]+$", item))])
    error_message = "each of additional_actions must be a service and one of its actions, such as sns:Publish."
  }
}

variable "block_public_access" {
  description = "Block public access to all S3 buckets of the account. Set false if another root module, or the organization, blocks it."
  type        = bool
  default     = true
  nullable    = false
}

variable "break_glass_role_arns" {
  description = "Emergency (break-glass) roles that the service control policy exempts. If empty, the output `service_control_policy` is null."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for item in var.break_glass_role_arns : can(regex("^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/.+$", item))])
    error_message = "each of break_glass_role_arns must be the ARN of an IAM role (arn:aws:iam::…:role/…) in partition aws, aws-cn or aws-us-gov."
  }
}

variable "deletion_protection" {
  description = "Refuse every plan that would delete or replace the data of this module. False allows `terraform destroy` to delete it."
  type        = bool
  default     = true
  nullable    = false
}

variable "environments" {
  description = "Environments of this account by name, with the roles of their CI."
  type = map(object({
    apply = object({
      github = optional(list(object({
        branches      = optional(list(string), [])
        environments  = optional(list(string), [])
        owner_id      = optional(string)
        repository    = string
        repository_id = optional(string)
        tags          = optional(list(string), [])
      })), [])
      gitlab = optional(list(object({
        branches = optional(list(string), [])
        project  = string
        tags     = optional(list(string), [])
      })), [])
      policies = map(string)
    })
    name_prefix = string
    plan = object({
      github = optional(list(object({
        branches      = optional(list(string), [])
        environments  = optional(list(string), [])
        owner_id      = optional(string)
        repository    = string
        repository_id = optional(string)
        tags          = optional(list(string), [])
        pull_requests = optional(bool, true)
      })), [])
      gitlab = optional(list(object({
        branches       = optional(list(string), [])
        project        = string
        tags           = optional(list(string), [])
        merge_requests = optional(bool, true)
      })), [])
      policies = map(string)
    })
    promote = optional(object({
      github = optional(list(object({
        branches      = optional(list(string), [])
        environments  = optional(list(string), [])
        owner_id      = optional(string)
        repository    = string
        repository_id = optional(string)
        tags          = optional(list(string), [])
      })), [])
      gitlab = optional(list(object({
        branches = optional(list(string), [])
        project  = string
        tags     = optional(list(string), [])
      })), [])
      registries = optional(map(string), {})
    }))
    region    = optional(string)
    role_path = optional(string, "/")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for item in var.environments : item != null])
    error_message = "each of environments must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.apply != null && item.plan != null])
    error_message = "environments: apply and plan must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.apply == null ? true : item.apply.policies != null])
    error_message = "environments: apply: policies must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.apply == null ? true : item.apply.github == null ? true : alltrue([for item2 in item.apply.github : item2 != null])])
    error_message = "each of environments: apply: github must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.apply == null ? true : item.apply.gitlab == null ? true : alltrue([for item2 in item.apply.gitlab : item2 != null])])
    error_message = "each of environments: apply: gitlab must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.plan == null ? true : item.plan.policies != null])
    error_message = "environments: plan: policies must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.plan == null ? true : item.plan.github == null ? true : alltrue([for item2 in item.plan.github : item2 != null])])
    error_message = "each of environments: plan: github must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.plan == null ? true : item.plan.gitlab == null ? true : alltrue([for item2 in item.plan.gitlab : item2 != null])])
    error_message = "each of environments: plan: gitlab must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.promote == null ? true : item.promote.github == null ? true : alltrue([for item2 in item.promote.github : item2 != null])])
    error_message = "each of environments: promote: github must not be null."
  }

  validation {
    condition     = alltrue([for item in var.environments : item == null ? true : item.promote == null ? true : item.promote.gitlab == null ? true : alltrue([for item2 in item.promote.gitlab : item2 != null])])
    error_message = "each of environments: promote: gitlab must not be null."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.github : alltrue([for item3 in item2.branches : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: apply: github: branches must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.github : alltrue([for item3 in item2.environments : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: apply: github: environments must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.github : item2.owner_id == null ? true : can(regex("^[0-9]+$", item2.owner_id))])]), true)
    error_message = "environments: apply: github: owner_id must be the digits of an ID of GitHub such as 123456."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.github : can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", item2.repository))])]), true)
    error_message = "environments: apply: github: repository must be an owner and a repository such as acme/platform, without wildcards."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.github : item2.repository_id == null ? true : can(regex("^[0-9]+$", item2.repository_id))])]), true)
    error_message = "environments: apply: github: repository_id must be the digits of an ID of GitHub such as 123456."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.github : alltrue([for item3 in item2.tags : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: apply: github: tags must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.gitlab : alltrue([for item3 in item2.branches : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: apply: gitlab: branches must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.gitlab : can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$", item2.project))])]), true)
    error_message = "environments: apply: gitlab: project must be the path of a project such as acme/ml/platform, without wildcards."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.apply.gitlab : alltrue([for item3 in item2.tags : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: apply: gitlab: tags must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : length(item.apply.policies) >= 1]), true)
    error_message = "environments: apply: policies must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for key in keys(item.apply.policies) : can(regex("^apply-[a-z0-9-]+$", key))])]), true)
    error_message = "each key of environments: apply: policies must be a name such as apply-data."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", item.name_prefix))]), true)
    error_message = "environments: name_prefix must be 3 to 24 lower-case letters, digits and hyphens, starting with a letter."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.github : alltrue([for item3 in item2.branches : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: plan: github: branches must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.github : alltrue([for item3 in item2.environments : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: plan: github: environments must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.github : item2.owner_id == null ? true : can(regex("^[0-9]+$", item2.owner_id))])]), true)
    error_message = "environments: plan: github: owner_id must be the digits of an ID of GitHub such as 123456."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.github : can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", item2.repository))])]), true)
    error_message = "environments: plan: github: repository must be an owner and a repository such as acme/platform, without wildcards."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.github : item2.repository_id == null ? true : can(regex("^[0-9]+$", item2.repository_id))])]), true)
    error_message = "environments: plan: github: repository_id must be the digits of an ID of GitHub such as 123456."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.github : alltrue([for item3 in item2.tags : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: plan: github: tags must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.gitlab : alltrue([for item3 in item2.branches : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: plan: gitlab: branches must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.gitlab : can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$", item2.project))])]), true)
    error_message = "environments: plan: gitlab: project must be the path of a project such as acme/ml/platform, without wildcards."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for item2 in item.plan.gitlab : alltrue([for item3 in item2.tags : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: plan: gitlab: tags must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : length(item.plan.policies) >= 1]), true)
    error_message = "environments: plan: policies must hold at least 1."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : alltrue([for key in keys(item.plan.policies) : can(regex("^plan-[a-z0-9-]+$", key))])]), true)
    error_message = "each key of environments: plan: policies must be a name such as plan-data."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.github : alltrue([for item3 in item2.branches : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: promote: github: branches must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.github : alltrue([for item3 in item2.environments : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: promote: github: environments must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.github : item2.owner_id == null ? true : can(regex("^[0-9]+$", item2.owner_id))])]), true)
    error_message = "environments: promote: github: owner_id must be the digits of an ID of GitHub such as 123456."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.github : can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", item2.repository))])]), true)
    error_message = "environments: promote: github: repository must be an owner and a repository such as acme/platform, without wildcards."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.github : item2.repository_id == null ? true : can(regex("^[0-9]+$", item2.repository_id))])]), true)
    error_message = "environments: promote: github: repository_id must be the digits of an ID of GitHub such as 123456."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.github : alltrue([for item3 in item2.tags : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: promote: github: tags must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.gitlab : alltrue([for item3 in item2.branches : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: promote: gitlab: branches must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.gitlab : can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$", item2.project))])]), true)
    error_message = "environments: promote: gitlab: project must be the path of a project such as acme/ml/platform, without wildcards."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.gitlab : alltrue([for item3 in item2.tags : can(regex("^[A-Za-z0-9._/#@+-]+$", item3))])])]), true)
    error_message = "each of environments: promote: gitlab: tags must be one name such as main, without wildcards and without refs/heads/."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for item2 in item.promote.registries : can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", item2))])]), true)
    error_message = "each of environments: promote: registries must be 3 to 24 lower-case letters, digits and hyphens, starting with a letter."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.promote == null ? true : alltrue([for key in keys(item.promote.registries) : can(regex("^[0-9]{12}$", key))])]), true)
    error_message = "each key of environments: promote: registries must be the 12 digits of an account."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : item.region == null ? true : contains(["af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"], item.region)]), true)
    error_message = "environments: region must be a Region of the catalogue such as eu-north-1, in partition aws, aws-cn or aws-us-gov."
  }

  validation {
    condition     = try(alltrue([for item in var.environments : can(regex("^/([!-~]+/)?$", item.role_path))]), true)
    error_message = "environments: role_path must be a path that starts and ends with a slash, such as /mlops/."
  }

  validation {
    condition     = try(alltrue([for key in keys(var.environments) : can(regex("^[a-z][a-z0-9-]*$", key))]), true)
    error_message = "each key of environments must be the name of an environment: lower-case letters, digits and hyphens."
  }

  validation {
    condition     = length(distinct([for environment in var.environments : environment.name_prefix])) == length(var.environments)
    error_message = "environments: two environments have the same name_prefix; choose a different one, because role names contain it."
  }

  validation {
    condition = alltrue([
      for environment in var.environments : alltrue([
        for other in var.environments : !can(regex("^${environment.name_prefix}-", other.name_prefix))
      ])
    ])
    error_message = "environments: a name_prefix must not begin with another one and a hyphen, such as smlops-prod beside smlops; choose a different one, because CI changes all roles that begin with its prefix."
  }

  validation {
    condition     = alltrue([for name, environment in var.environments : name != "bootstrap"])
    error_message = "environments: no environment may be named bootstrap; choose another name, because this module's own state has it."
  }

  validation {
    condition = alltrue([
      for text in flatten([
        for environment in var.environments :
        [for text in merge(environment.plan.policies, environment.apply.policies) : text]
      ]) : can(jsondecode(text).Statement)
    ])
    error_message = "environments: each document of policies must be JSON with a Statement; read it with file()."
  }

  validation {
    condition = alltrue([
      for text in flatten([
        for environment in var.environments :
        [for text in merge(environment.plan.policies, environment.apply.policies) : text]
      ]) : !can(jsondecode(text)) ? true : length(jsonencode(jsondecode(text))) <= 6144
    ])
    error_message = "environments: each document of policies may have at most 6144 characters; split a longer one."
  }

  validation {
    condition = alltrue([
      for environment in var.environments :
      length(environment.plan.policies) + length(environment.apply.policies) <= 10
    ])
    error_message = "environments: IAM attaches at most 10 policies to a role, and the apply role gets the plan and the apply documents; merge some of them."
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : length(item.apply.github) + length(item.apply.gitlab) > 0
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : "environments.${key}.apply.github: name at least one job in github or in gitlab" if !(length(item.apply.github) + length(item.apply.gitlab) > 0)]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : alltrue([
        for key2, item2 in item.apply.github : item2.owner_id == null == (item2.repository_id == null)
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : join("; ", [for key2, item2 in item.apply.github : "environments.${key}.apply.github.${key2}.owner_id: set both owner_id and repository_id, or neither" if !(item2.owner_id == null == (item2.repository_id == null))]) if !alltrue([for key2, item2 in item.apply.github : item2.owner_id == null == (item2.repository_id == null)])]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : alltrue([
        for key2, item2 in item.apply.github :
        length(item2.branches) + length(item2.environments) + length(item2.tags) > 0
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : join("; ", [for key2, item2 in item.apply.github : "environments.${key}.apply.github.${key2}.branches: set at least one of branches, environments and tags" if !(length(item2.branches) + length(item2.environments) + length(item2.tags) > 0)]) if !alltrue([for key2, item2 in item.apply.github : length(item2.branches) + length(item2.environments) + length(item2.tags) > 0])]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments :
      alltrue([for key2, item2 in item.apply.gitlab : length(item2.branches) + length(item2.tags) > 0])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : join("; ", [for key2, item2 in item.apply.gitlab : "environments.${key}.apply.gitlab.${key2}.branches: set at least one of branches and tags" if !(length(item2.branches) + length(item2.tags) > 0)]) if !alltrue([for key2, item2 in item.apply.gitlab : length(item2.branches) + length(item2.tags) > 0])]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : length(item.plan.github) + length(item.plan.gitlab) > 0
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : "environments.${key}.plan.github: name at least one job in github or in gitlab" if !(length(item.plan.github) + length(item.plan.gitlab) > 0)]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : alltrue([
        for key2, item2 in item.plan.github : item2.owner_id == null == (item2.repository_id == null)
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : join("; ", [for key2, item2 in item.plan.github : "environments.${key}.plan.github.${key2}.owner_id: set both owner_id and repository_id, or neither" if !(item2.owner_id == null == (item2.repository_id == null))]) if !alltrue([for key2, item2 in item.plan.github : item2.owner_id == null == (item2.repository_id == null)])]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : alltrue([
        for key2, item2 in item.plan.github :
        item2.pull_requests ? true : length(item2.branches) + length(item2.environments) + length(item2.tags) > 0
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : join("; ", [for key2, item2 in item.plan.github : "environments.${key}.plan.github.${key2}.pull_requests: must be true, or set at least one of branches, environments and tags" if !(item2.pull_requests ? true : length(item2.branches) + length(item2.environments) + length(item2.tags) > 0)]) if !alltrue([for key2, item2 in item.plan.github : item2.pull_requests ? true : length(item2.branches) + length(item2.environments) + length(item2.tags) > 0])]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : alltrue([
        for key2, item2 in item.plan.gitlab :
        item2.merge_requests ? true : length(item2.branches) + length(item2.tags) > 0
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : join("; ", [for key2, item2 in item.plan.gitlab : "environments.${key}.plan.gitlab.${key2}.merge_requests: must be true, or set at least one of branches and tags" if !(item2.merge_requests ? true : length(item2.branches) + length(item2.tags) > 0)]) if !alltrue([for key2, item2 in item.plan.gitlab : item2.merge_requests ? true : length(item2.branches) + length(item2.tags) > 0])]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments :
      item.promote == null ? true : length(item.promote.github) + length(item.promote.gitlab) > 0
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : item.promote == null ? "" : "environments.${key}.promote.github: name at least one job in github or in gitlab" if !(item.promote == null ? true : length(item.promote.github) + length(item.promote.gitlab) > 0)]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : item.promote == null ? true : alltrue([
        for key2, item2 in item.promote.github : item2.owner_id == null == (item2.repository_id == null)
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : item.promote == null ? "" : join("; ", [for key2, item2 in item.promote.github : "environments.${key}.promote.github.${key2}.owner_id: set both owner_id and repository_id, or neither" if !(item2.owner_id == null == (item2.repository_id == null))]) if !(item.promote == null ? true : alltrue([for key2, item2 in item.promote.github : item2.owner_id == null == (item2.repository_id == null)]))]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments : item.promote == null ? true : alltrue([
        for key2, item2 in item.promote.github :
        length(item2.branches) + length(item2.environments) + length(item2.tags) > 0
      ])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : item.promote == null ? "" : join("; ", [for key2, item2 in item.promote.github : "environments.${key}.promote.github.${key2}.branches: set at least one of branches, environments and tags" if !(length(item2.branches) + length(item2.environments) + length(item2.tags) > 0)]) if !(item.promote == null ? true : alltrue([for key2, item2 in item.promote.github : length(item2.branches) + length(item2.environments) + length(item2.tags) > 0]))]), "")
  }

  validation {
    condition = try(alltrue([
      for key, item in var.environments :
      item.promote == null ? true : alltrue([for key2, item2 in item.promote.gitlab : length(item2.branches) + length(item2.tags) > 0])
    ]), true)
    error_message = try(join("; ", [for key, item in var.environments : item.promote == null ? "" : join("; ", [for key2, item2 in item.promote.gitlab : "environments.${key}.promote.gitlab.${key2}.branches: set at least one of branches and tags" if !(length(item2.branches) + length(item2.tags) > 0)]) if !(item.promote == null ? true : alltrue([for key2, item2 in item.promote.gitlab : length(item2.branches) + length(item2.tags) > 0]))]), "")
  }
}

variable "existing_kms_key" {
  description = "Encrypt the state with this key instead of a new one. It is an object, so that the ARN may be unknown until apply."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_kms_key == null ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.existing_kms_key.arn))
    error_message = "existing_kms_key: arn must be the ARN of a KMS key (arn:aws:kms:…:key/…) in partition aws, aws-cn or aws-us-gov, not an alias or a bare id."
  }

  validation {
    condition = alltrue([
      for text in [for existing in var.existing_kms_key[*] : existing.arn] :
      !can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:", text)) ? true : can(regex("^arn:(aws|aws-cn|aws-us-gov):kms:${var.region}:", text))
    ])
    error_message = "existing_kms_key: must be a key in Region ${var.region}."
  }
}

variable "github" {
  description = "Identity provider of GitHub Actions."
  type = object({
    audience        = optional(string, "sts.amazonaws.com")
    create_provider = optional(bool, true)
    url             = optional(string, "https://token.actions.githubusercontent.com")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z0-9:/._-]{1,255}$", var.github.audience))
    error_message = "github: audience must be the audience of the tokens such as sts.amazonaws.com, without wildcards."
  }

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(/[A-Za-z0-9._-]+)*$", var.github.url))
    error_message = "github: url must be an address that starts with https:// and has no slash at its end."
  }
}

variable "gitlab" {
  description = "Identity provider of GitLab CI."
  type = object({
    audience        = optional(string, "sts.amazonaws.com")
    create_provider = optional(bool, true)
    url             = optional(string, "https://gitlab.com")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z0-9:/._-]{1,255}$", var.gitlab.audience))
    error_message = "gitlab: audience must be the audience of the tokens such as sts.amazonaws.com, without wildcards."
  }

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(/[A-Za-z0-9._-]+)*$", var.gitlab.url))
    error_message = "gitlab: url must be an address that starts with https:// and has no slash at its end."
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
    condition     = length("${var.name_prefix}-state-${var.account_id}") <= 63
    error_message = "name_prefix: the bucket name <name_prefix>-state-<account_id> has more than 63 characters; shorten name_prefix"
  }
}

variable "noncurrent_version_days" {
  description = "Days until a noncurrent version of the state expires. The ten newest ones never expire."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.noncurrent_version_days >= 1
    error_message = "noncurrent_version_days must be at least 1."
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
