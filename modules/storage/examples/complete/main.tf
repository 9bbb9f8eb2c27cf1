# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "storage" {
  source = "../.."

  name_prefix         = "flights-dev"
  account_id          = "123456789012"
  region              = "eu-north-1"
  deletion_protection = false # development: `terraform destroy` deletes the data
  tags                = { workload = "flight_delay" }

  extra_buckets = {
    landing = { events = true, expiration_days = 30 }
    shared  = {}
  }
  intelligent_tiering_archive_days = 180
  lifecycle_days                   = { checkpoints = 7, noncurrent = 7 }
  reader_account_ids               = ["210987654321"]
  storage_lens_export              = true
}


