# Serverless endpoint of this project with the defaults of its module.
module "endpoint" {
  source = "../../../../../modules/serverless_endpoint"

  name_prefix = "compared-serverless"
  image_uri   = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/model:1"
  kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  role_arn    = "arn:aws:iam::123456789012:role/inference"
}
