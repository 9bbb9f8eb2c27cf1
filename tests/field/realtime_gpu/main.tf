# A language model behind a real-time GPU endpoint. A team's first root module calls a shared module.

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
  region                      = "us-east-1"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  default_tags {
    tags = {
      Project   = "review-sentiment"
      ManagedBy = "terraform"
    }
  }
}

module "sentiment" {
  source = "./modules/huggingface"

  name_prefix   = "sentiment"
  hf_model_id   = "distilbert-base-uncased-finetuned-sst-2-english"
  hf_task       = "text-classification"
  instance_type = "ml.g4dn.xlarge"

  autoscaling = {
    min_capacity               = 1
    max_capacity               = 4
    scaling_target_invocations = 200
  }
}

output "endpoint_name" {
  value = module.sentiment.endpoint_name
}
