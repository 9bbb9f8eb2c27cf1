# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "model_registry" {
  source = "../../../model_registry"

  name_prefix          = "shop"
  account_id           = "123456789012"
  region               = "eu-north-1"
  model_package_groups = { churn = {} }
}

resource "aws_sns_topic" "results" {
  name              = "shop-results"
  kms_master_key_id = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
}

module "access" {
  source = "../.."

  name_prefix = "shop"
  account_id  = "123456789012"
  region      = "eu-north-1"
  kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

  buckets = {
    artifacts = { arn = "arn:aws:s3:::shop-artifacts-123456789012-eu-north-1" }
    data      = { arn = "arn:aws:s3:::shop-data-123456789012-eu-north-1" }
  }
  role_statements = [
    module.model_registry.role_statements,
    {
      inference = [
        {
          sid       = "PublishNotifications"
          actions   = ["sns:Publish"]
          resources = [aws_sns_topic.results.arn]
        },
        {
          sid       = "EncryptNotifications"
          actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
          resources = [aws_sns_topic.results.kms_master_key_id]
          condition = [{ test = "StringEquals", variable = "kms:ViaService", values = ["sns.eu-north-1.amazonaws.com"] }]
        },
      ]
    },
  ]
}


