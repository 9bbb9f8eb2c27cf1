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
    allowed_account_ids = ["234567890123"]
    bucket              = "smlops-staging-state-234567890123"
    key                 = "staging/terraform.tfstate"
    region              = "eu-north-1"
    use_lockfile        = true
  }
}
