# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "observability" {
  source = "../.."

  name_prefix = "shop"
  account_id  = "123456789012"
  region      = "eu-north-1"
  kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

  endpoints = {
    churn = { name = "shop-churn", kind = "serverless", memory_mb = 2048, latency_slo_ms = 500 }
  }

  subscribers = {
    ml_team = { protocol = "email", endpoint = "ml-team@example.com" }
  }
}

