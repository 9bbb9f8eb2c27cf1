# Foundation that the platform team creates in an account: roles, their policies, the key, the bucket.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

locals {
  organization = "acme"

  accounts = {
    development = "111111111111"
    staging     = "222222222222"
    production  = "333333333333"
  }

  here      = local.accounts.development
  promoting = [local.accounts.staging, local.accounts.production]

  github = "token.actions.githubusercontent.com"
}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "sagemaker_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "github_trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.github}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "${local.github}:sub"
      values   = ["repo:${local.organization}/*"]
    }
  }
}

data "aws_iam_policy_document" "promotion_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [for id in local.promoting : "arn:${data.aws_partition.current.partition}:iam::${id}:root"]
    }
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  url             = "https://${local.github}"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}

module "key" {
  source = "./modules/key"

  alias           = "ml-artifacts"
  account_id      = local.here
  reader_accounts = local.promoting
}

resource "aws_s3_bucket" "artifacts" {
  bucket = "${local.organization}-ml-artifacts-${local.here}"
}

resource "aws_s3_bucket_versioning" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = module.key.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

data "aws_iam_policy_document" "artifacts" {
  statement {
    sid       = "OtherAccountsRead"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [aws_s3_bucket.artifacts.arn, "${aws_s3_bucket.artifacts.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = [for id in local.promoting : "arn:${data.aws_partition.current.partition}:iam::${id}:root"]
    }
  }
}

resource "aws_s3_bucket_policy" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id
  policy = data.aws_iam_policy_document.artifacts.json

  depends_on = [aws_s3_bucket_public_access_block.artifacts]
}

module "roles" {
  source = "./modules/roles"

  prefix = "ml"

  policies = {
    for file in fileset("${path.root}/policies", "*.json") :
    trimsuffix(file, ".json") => file("${path.root}/policies/${file}")
  }

  roles = {
    training = {
      trust    = data.aws_iam_policy_document.sagemaker_trust.json
      policies = ["artifacts", "logs"]
    }
    scientist = {
      trust    = data.aws_iam_policy_document.sagemaker_trust.json
      policies = ["experiment", "artifacts", "logs"]
    }
    ci = {
      trust    = data.aws_iam_policy_document.github_trust.json
      policies = ["deployment", "artifacts"]
    }
    promotion = {
      trust    = data.aws_iam_policy_document.promotion_trust.json
      policies = ["artifacts"]
    }
  }
}
