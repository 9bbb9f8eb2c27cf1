# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "network" {
  source = "../.."

  name_prefix     = "shop"
  account_id      = "123456789012"
  region          = "eu-north-1"
  vpc_id          = "vpc-0123456789abcdef0"
  subnet_ids      = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  route_table_ids = ["rtb-0123456789abcdef0"]
}

