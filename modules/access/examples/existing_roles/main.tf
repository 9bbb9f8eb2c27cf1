# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

resource "aws_iam_role" "training" {
  name = "company-training"
  path = "/data-science/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "sagemaker.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
      },
    ]
  })
}

module "access" {
  source = "../.."

  name_prefix         = "shop"
  account_id          = "123456789012"
  region              = "eu-north-1"
  kms_key_arn         = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  feature_group_names = ["shop-orders"]

  buckets = {
    artifacts = { arn = "arn:aws:s3:::shop-artifacts-123456789012-eu-north-1" }
    data      = { arn = "arn:aws:s3:::shop-data-123456789012-eu-north-1" }
  }
  existing_role_arns = {
    inference = "arn:aws:iam::123456789012:role/company-inference"
    training  = aws_iam_role.training.arn
  }
}


