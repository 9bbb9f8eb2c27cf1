# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "feature_store" {
  source = "../.."

  name_prefix          = "flights-dev"
  deletion_protection  = false # development: `terraform destroy` deletes the groups
  kms_key_arn          = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  offline_store_s3_uri = "s3://flights-dev-data-123456789012-eu-north-1/feature-store"
  role_arn             = "arn:aws:iam::123456789012:role/flights-dev-data-preparation"
  tags                 = { workload = "flight_delay" }

  table_optimizers = {
    orphan_file_deletion = {}
    retention            = {}
  }

  feature_groups = {
    flights = {
      description       = "Scheduled flights, as known before departure."
      record_identifier = "flight_id"
      event_time        = "event_time"
      online            = { ttl = { unit = "Days", value = 2 } }
      features = {
        carrier        = { type = "String" }
        distance_miles = { type = "Integral" }
        event_time     = { type = "String" }
        flight_id      = { type = "String" }
      }
    }
    weather_hourly = {
      record_identifier = "origin_hour"
      event_time        = "observed_at"
      features = {
        observed_at   = { type = "Fractional" }
        origin_hour   = { type = "String" }
        wind_gust_mph = { type = "Fractional" }
      }
    }
  }
}


