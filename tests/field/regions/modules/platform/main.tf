terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      configuration_aliases = [aws.europe, aws.america, aws.asia]
    }
  }
}

variable "role_arn" {
  type = string
}

variable "image_account" {
  type = string
}

module "europe" {
  source    = "../region"
  providers = { aws = aws.europe }

  label         = "eu"
  role_arn      = var.role_arn
  image_account = var.image_account
  min_instances = 2
  max_instances = 6
}

module "america" {
  source    = "../region"
  providers = { aws = aws.america }

  label         = "us"
  role_arn      = var.role_arn
  image_account = var.image_account
  min_instances = 2
  max_instances = 10
}

module "asia" {
  source    = "../region"
  providers = { aws = aws.asia }

  label         = "ap"
  role_arn      = var.role_arn
  image_account = var.image_account
  min_instances = 1
  max_instances = 3
}
