# Generated from the page of the module by smlops synth: change that, then run it again.

provider "aws" {
  region = "eu-north-1"
}

module "storage" {
  source = "../.."

  name_prefix = "shop"
  account_id  = "123456789012"
  region      = "eu-north-1"
}

