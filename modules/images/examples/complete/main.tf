# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "images" {
  source = "../.."

  name_prefix         = "flights-dev"
  account_id          = "123456789012"
  region              = "eu-north-1"
  kms_key_arn         = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  deletion_protection = false # development: `terraform destroy` deletes the repositories with their images
  tags                = { workload = "flight_delay" }

  repositories = {
    flight_delay = {
      reader_account_ids = ["210987654321"]
      temporary_images   = { tag_prefixes = ["pr-", "dev-"] }
    }
    features = { expire_untagged_after_days = 1 }
  }

  replicate_to               = [{ account_id = "345678901234", region = "eu-north-1" }]
  replicate_from_account_ids = ["210987654321"]
}


