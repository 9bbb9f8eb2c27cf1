terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "label" {
  type = string
}

variable "role_arn" {
  type = string
}

variable "image_account" {
  type = string
}

variable "min_instances" {
  type = number
}

variable "max_instances" {
  type = number
}

resource "aws_s3_bucket" "models" {
  bucket = "acme-ranking-models-${var.label}"
}

resource "aws_s3_bucket_versioning" "models" {
  bucket = aws_s3_bucket.models.id

  versioning_configuration {
    status = "Enabled"
  }
}

module "serving" {
  source    = "../serving"
  providers = { aws = aws }

  role_arn      = var.role_arn
  image_account = var.image_account
  model_data    = "s3://${aws_s3_bucket.models.bucket}/ranking/model.tar.gz"
  min_instances = var.min_instances
  max_instances = var.max_instances
}
