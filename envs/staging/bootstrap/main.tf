# Account of staging: the state bucket, and the roles that CI assumes to plan, apply and promote. An administrator applies it
# once, and again after changes of ../deployer: modules/bootstrap/README.md#apply-it-the-first-time

provider "aws" {
  region = "eu-north-1"
}

variable "repository" {
  description = "Repository on GitHub whose jobs may assume the roles, such as acme/platform."
  type        = string
}

locals {
  documents = "${path.module}/../deployer"
}

module "bootstrap" {
  source = "../../../modules/bootstrap"

  name_prefix = "smlops-staging"
  account_id  = "234567890123"
  region      = "eu-north-1"

  environments = {
    staging = {
      name_prefix = "smlops-staging"
      plan = {
        github = [{ repository = var.repository }]
        policies = {
          for file in fileset(local.documents, "plan-*.json") :
          trimsuffix(file, ".json") => file("${local.documents}/${file}")
        }
      }
      apply = {
        github = [{ repository = var.repository, environments = ["staging"] }]
        policies = {
          for file in fileset(local.documents, "apply-*.json") :
          trimsuffix(file, ".json") => file("${local.documents}/${file}")
        }
      }
      promote = {
        github = [{ repository = var.repository, environments = ["promote"] }]
        registries = {
          "123456789012" = "smlops-dev"
        }
      }
    }
  }
}

output "bootstrap" {
  description = "Values for the settings of the environment and for CI."
  value       = module.bootstrap
}
