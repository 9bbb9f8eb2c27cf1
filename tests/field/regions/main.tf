# One ranking model, served in three Regions near its users.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

variable "home_region" {
  type    = string
  default = "eu-central-1"
}

provider "aws" {
  region                      = var.home_region
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

provider "aws" {
  alias                       = "virginia"
  region                      = "us-east-1"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

provider "aws" {
  alias                       = "tokyo"
  region                      = "ap-northeast-1"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

module "platform" {
  source = "./modules/platform"

  image_account = "111111111111"
  role_arn      = aws_iam_role.serving.arn

  providers = {
    aws.europe  = aws
    aws.america = aws.virginia
    aws.asia    = aws.tokyo
  }
}

resource "aws_iam_role" "serving" {
  name = "ranking-serving"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "serving" {
  name = "models"
  role = aws_iam_role.serving.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = "arn:aws:s3:::acme-ranking-models-*/*"
    }]
  })
}
