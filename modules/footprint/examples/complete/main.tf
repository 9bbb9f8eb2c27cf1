# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "footprint" {
  source = "../.."

  name_prefix         = "flights"
  account_id          = "123456789012"
  region              = "eu-north-1"
  deletion_protection = false # development: `terraform destroy` deletes the bucket with its files
  tags                = { workload = "platform" }

  workload_tag_key     = "workload"
  cost_allocation_tags = ["workload"] # only after a bill has the tag: see "Activate the tag"
  notify_emails        = ["ml-platform@example.org"]
  subscribers          = { finance = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-north-1:123456789012:flights-costs" } }
  anomaly_detection    = { minimum_impact_usd = 20 }
  carbon_export        = { expire_after_days = 1825 }

  budgets = {
    flight_delay = {
      monthly_limit_usd = 400
      forecast_percent  = [90, 100]
      actual_percent    = [50, 80, 100]
    }
    digits = { monthly_limit_usd = 25.5 }
  }
}


