# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "images" {
  source = "../.."

  name_prefix  = "shop"
  account_id   = "123456789012"
  region       = "eu-north-1"
  kms_key_arn  = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  repositories = { churn = {} }
}

