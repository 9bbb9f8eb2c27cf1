# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "bootstrap" {
  source = "../.."

  name_prefix = "shop"
  account_id  = "123456789012"
  region      = "eu-north-1"
}

