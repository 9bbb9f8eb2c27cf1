# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "access" {
  source = "../../../access"

  name_prefix     = "shop"
  account_id      = "123456789012"
  region          = "eu-north-1"
  kms_key_arn     = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  role_statements = [module.async_endpoint.role_statements]

  buckets = {
    artifacts = { arn = "arn:aws:s3:::shop-artifacts-123456789012-eu-north-1" }
    data      = { arn = "arn:aws:s3:::shop-data-123456789012-eu-north-1" }
  }
}

module "async_endpoint" {
  source = "../.."

  name_prefix   = "shop-churn"
  account_id    = "123456789012"
  region        = "eu-north-1"
  alarm_actions = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]
  image_uri     = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/churn:1-arm64"
  kms_key_arn   = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  role_arn      = module.access.role_arns["inference"]
  s3_uri        = "s3://shop-artifacts-123456789012-eu-north-1/async-inference"
}

# Alarm on the age of the oldest request.
resource "aws_cloudwatch_metric_alarm" "age" {
  alarm_name          = "shop-churn-age-of-oldest-request"
  namespace           = "AWS/SageMaker"
  metric_name         = "ApproximateAgeOfOldestRequest"
  statistic           = "Maximum"
  threshold           = 3600 # seconds
  comparison_operator = "GreaterThanOrEqualToThreshold"
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]

  dimensions = {
    EndpointName = module.async_endpoint.endpoint_name
  }
}

