# A data scientist's notebook with a GPU, and its bucket.

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
  region                      = "us-east-1"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variable "owner" {
  type    = string
  default = "vision"
}

variable "idle_minutes" {
  type    = number
  default = 60
}

resource "aws_iam_role" "notebook" {
  name = "${var.owner}-notebook"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "sagemaker" {
  role       = aws_iam_role.notebook.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_iam_role_policy_attachment" "s3" {
  role       = aws_iam_role.notebook.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
}

resource "aws_s3_bucket" "work" {
  bucket        = "acme-${var.owner}-work"
  force_destroy = true
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name      = "${var.owner}-lifecycle"
  on_create = filebase64("${path.module}/scripts/on_create.sh")
  on_start = base64encode(templatefile("${path.module}/scripts/on_start.sh.tftpl", {
    idle_minutes = var.idle_minutes
  }))
}

resource "aws_sagemaker_notebook_instance" "this" {
  name                    = "${var.owner}-notebook"
  role_arn                = aws_iam_role.notebook.arn
  instance_type           = "ml.g4dn.xlarge"
  volume_size             = 100
  platform_identifier     = "notebook-al2-v2"
  lifecycle_config_name   = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
  direct_internet_access  = "Enabled"
  root_access             = "Enabled"
  default_code_repository = "https://github.com/acme/vision-experiments.git"

  tags = {
    Owner = var.owner
  }
}
