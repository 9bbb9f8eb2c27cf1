# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

resource "aws_kms_key" "company" {
  description             = "Managed by the security team."
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

module "storage" {
  source = "../.."

  name_prefix         = "shop"
  account_id          = "123456789012"
  region              = "eu-north-1"
  deletion_protection = false
  existing_kms_key    = { arn = aws_kms_key.company.arn }
}


