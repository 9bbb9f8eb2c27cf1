# All models of a department, by product and stage: four modules deep, with one provider.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

provider "aws" {
  region                      = "eu-north-1"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

module "department" {
  source = "./modules/department"

  name = "logistics"
  products = {
    eta      = { instance_type = "ml.m5.large", instances = 2 }
    capacity = { instance_type = "ml.m5.xlarge", instances = 1 }
  }
}
