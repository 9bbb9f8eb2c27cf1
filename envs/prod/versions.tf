# Generated from settings.yaml, ../catalogue and ../components by smlops synth. Change the source, then run `smlops synth`.

terraform {
  required_version = ">= 1.10.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }

  backend "s3" {
    allowed_account_ids = ["345678901234"]
    bucket              = "smlops-prod-state-345678901234"
    key                 = "prod/terraform.tfstate"
    region              = "eu-north-1"
    use_lockfile        = true
  }
}
