# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "async_endpoint" {
  source = "../.."

  name_prefix               = "flights-dev"
  name                      = "flights-dev-delay-of-every-flight-of-a-season"
  account_id                = "123456789012"
  region                    = "eu-north-1"
  alarm_actions             = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]
  image_uri                 = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/flight-delay:1-arm64"
  environment_variables     = { LOG_LEVEL = "info" }
  instance_type             = "ml.c6gd.xlarge"
  kms_key_arn               = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  log_retention_days        = 14
  max_instances             = 10
  requests_per_instance     = 4
  role_arn                  = "arn:aws:iam::123456789012:role/flights-dev-inference"
  rollback_failures         = 1
  s3_uri                    = "s3://flights-dev-artifacts-123456789012-eu-north-1/async-inference"
  scale_in_cooldown_seconds = 120
  tags                      = { workload = "flight_delay" }

  target_backlog_per_instance = 2
}

# Alarm on the age of the oldest request.
resource "aws_cloudwatch_metric_alarm" "age" {
  alarm_name          = "flights-dev-delay-age-of-oldest-request"
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


