# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

locals {
  bucket = "arn:aws:s3:::flights-state-123456789012"
  # Use the documents of envs/<name>/deployer instead.
  plan_data = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "State", Effect = "Allow", Action = "s3:GetObject", Resource = "${local.bucket}/dev/terraform.tfstate" },
      { Sid = "Bucket", Effect = "Allow", Action = "s3:ListBucket", Resource = local.bucket },
    ]
  })
  apply_data = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "State", Effect = "Allow", Action = "s3:PutObject", Resource = "${local.bucket}/dev/terraform.tfstate" },
    ]
  })
}

module "bootstrap" {
  source = "../.."

  name_prefix           = "flights"
  account_id            = "123456789012"
  region                = "eu-north-1"
  role_path             = "/ci/"
  break_glass_role_arns = ["arn:aws:iam::123456789012:role/break-glass"]
  deletion_protection   = false # development: `terraform destroy` deletes the bucket with the states
  tags                  = { workload = "flight_delay" }

  environments = {
    dev = {
      name_prefix = "flights-dev"
      plan = {
        github   = [{ repository = "acme/platform" }]
        gitlab   = [{ project = "acme/ml/platform" }]
        policies = { plan-data = local.plan_data }
      }
      apply = {
        github   = [{ repository = "acme/platform", environments = ["dev"] }]
        gitlab   = [{ project = "acme/ml/platform", branches = ["main"] }]
        policies = { apply-data = local.apply_data }
      }
      promote = {
        github = [{ repository = "acme/platform", branches = ["main"] }]
      }
    }
  }
}


