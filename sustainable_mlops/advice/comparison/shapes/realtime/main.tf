# Real-time endpoint of this project with the defaults of its module: at least two Graviton instances in two zones.
module "endpoint" {
  source = "../../../../../modules/realtime_endpoint"

  name_prefix    = "compared-realtime"
  account_id     = "123456789012"
  region         = "eu-north-1"
  image_uri      = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/model:1-arm64"
  kms_key_arn    = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  latency_slo_ms = 1000
  role_arn       = "arn:aws:iam::123456789012:role/inference"
}
