# All endpoints of the comparison in one plan. The provider needs no account for it.
provider "aws" {
  region                      = "eu-north-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

module "serverless" {
  source = "./serverless"
}

module "realtime" {
  source = "./realtime"
}

module "asynchronous" {
  source = "./asynchronous"
}

module "aws_ia" {
  source = "./aws_ia"
}

module "huggingface" {
  source = "./huggingface"
}
