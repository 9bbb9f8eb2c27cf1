# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "model_registry" {
  source = "../.."

  name_prefix         = "flights-dev"
  account_id          = "123456789012"
  region              = "eu-north-1"
  deletion_protection = false # development: `terraform destroy` deletes the groups, once they are empty
  tags                = { workload = "flight_delay" }

  approval_topic = {
    kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    subscribers = {
      releases = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-north-1:123456789012:flights-releases" }
    }
  }

  delivery = {
    connection_arn = "arn:aws:events:eu-north-1:123456789012:connection/github/21971d42-f8c6-5db7-83ed-257c9e69b074"
    github         = { repository = "acme/flights" }
  }

  model_package_groups = {
    flight_delay = {
      description        = "Will a flight arrive 15 minutes late or more?"
      reader_account_ids = ["210987654321"]
    }
    gate_changes = {}
  }
}


