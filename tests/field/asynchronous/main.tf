# Speech to text: an asynchronous endpoint in one file, with the scaling of a real-time endpoint.

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
  region                      = var.region
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "account_id" {
  type    = string
  default = "111111111111"
}

variable "hf_token" {
  description = "Token of the Hugging Face Hub, for models behind a license."
  type        = string
  default     = "hf_0123456789-made-up"
}

locals {
  name = "transcribe"
  tags = {
    team        = "media"
    environment = "prod"
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "permissions" {
  statement {
    sid       = "Io"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
    resources = [aws_s3_bucket.io.arn, "${aws_s3_bucket.io.arn}/*"]
  }

  statement {
    sid       = "Notify"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.done.arn, aws_sns_topic.failed.arn]
  }

  statement {
    sid = "Runtime"
    actions = [
      "cloudwatch:PutMetricData",
      "ecr:BatchGetImage",
      "ecr:GetAuthorizationToken",
      "ecr:GetDownloadUrlForLayer",
      "logs:CreateLogGroup",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role" "inference" {
  name               = "${local.name}-inference"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = local.tags
}

resource "aws_iam_role_policy" "inference" {
  name   = "inference"
  role   = aws_iam_role.inference.id
  policy = data.aws_iam_policy_document.permissions.json
}

resource "aws_s3_bucket" "io" {
  bucket        = "acme-${local.name}-io"
  force_destroy = true
  tags          = local.tags
}

resource "aws_sns_topic" "done" {
  name = "${local.name}-done"
}

resource "aws_sns_topic" "failed" {
  name = "${local.name}-failed"
}

resource "aws_sagemaker_model" "whisper" {
  execution_role_arn = aws_iam_role.inference.arn
  tags               = local.tags

  primary_container {
    image = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/whisper-serving:latest"
    environment = {
      HF_MODEL_ID             = "openai/whisper-large-v3"
      HF_TOKEN                = var.hf_token
      MMS_MAX_RESPONSE_SIZE   = "20971520"
      MMS_DEFAULT_TIMEOUT     = "900"
      SAGEMAKER_MODEL_TIMEOUT = "3600"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "whisper" {
  name_prefix = "${local.name}-"
  tags        = local.tags

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.whisper.name
    instance_type          = "ml.g4dn.xlarge"
    initial_instance_count = 1
  }

  async_inference_config {
    client_config {
      max_concurrent_invocations_per_instance = 4
    }

    output_config {
      s3_output_path  = "s3://${aws_s3_bucket.io.bucket}/out/"
      s3_failure_path = "s3://${aws_s3_bucket.io.bucket}/failed/"

      notification_config {
        success_topic = aws_sns_topic.done.arn
        error_topic   = aws_sns_topic.failed.arn
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "whisper" {
  name                 = local.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.whisper.name
  tags                 = local.tags
}

resource "aws_appautoscaling_target" "whisper" {
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.whisper.name}/variant/main"
  min_capacity       = 0
  max_capacity       = 5
}

resource "aws_appautoscaling_policy" "invocations" {
  name               = "${local.name}-invocations"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.whisper.service_namespace
  scalable_dimension = aws_appautoscaling_target.whisper.scalable_dimension
  resource_id        = aws_appautoscaling_target.whisper.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 5
    scale_in_cooldown  = 600
    scale_out_cooldown = 300

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}
