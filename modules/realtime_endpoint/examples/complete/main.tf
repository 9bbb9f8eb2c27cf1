# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "realtime_endpoint" {
  source = "../.."

  name_prefix               = "flights-dev"
  name                      = "flights-dev-delay-at-the-gate"
  account_id                = "123456789012"
  region                    = "eu-north-1"
  alarm_actions             = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]
  environment_variables     = { LOG_LEVEL = "info" }
  image_uri                 = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/flight-delay:2-arm64"
  instance_type             = "ml.c6gd.large"
  kms_key_arn               = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  latency_slo_ms            = 100
  log_retention_days        = 14
  max_instances             = 12
  min_instances             = 4
  model_data_url            = "s3://flights-dev-artifacts-123456789012-eu-north-1/models/2/model.tar.gz"
  requests_per_instance     = 1200
  role_arn                  = "arn:aws:iam::123456789012:role/flights-dev-inference"
  scale_in_cooldown_seconds = 120
  tags                      = { workload = "flight_delay" }

  data_capture = {
    percent = 10
    s3_uri  = "s3://flights-dev-data-123456789012-eu-north-1/captures"
  }

  deployment = {
    strategy      = "canary"
    step_percent  = 25
    error_percent = 2
    wait_seconds  = 600
    bake_seconds  = 300
  }

  off_hours = {
    begin     = "cron(0 20 ? * MON-FRI *)"
    end       = "cron(0 6 ? * MON-FRI *)"
    instances = 1
    timezone  = "Europe/Stockholm"
  }

  shadow = {
    image_uri      = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/flight-delay:3-arm64"
    model_data_url = "s3://flights-dev-artifacts-123456789012-eu-north-1/models/3/model.tar.gz"
    percent        = 10
  }
}

# Notify of oversized instances, and of instances without requests.
resource "aws_cloudwatch_metric_alarm" "little_to_do" {
  alarm_name          = "flights-dev-delay-little-to-do"
  namespace           = "/aws/sagemaker/Endpoints"
  metric_name         = "CPUUtilization"
  statistic           = "Maximum"
  threshold           = 40 # of 200: each of two vCPUs counts as 100
  comparison_operator = "LessThanThreshold"
  period              = 3600
  evaluation_periods  = 24
  treat_missing_data  = "notBreaching"
  alarm_actions       = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]

  dimensions = {
    EndpointName = module.realtime_endpoint.endpoint_name
    VariantName  = module.realtime_endpoint.variant_names[0]
  }
}

resource "aws_cloudwatch_metric_alarm" "idle" {
  alarm_name          = "flights-dev-delay-idle"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocations"
  statistic           = "Sum"
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  period              = 3600
  evaluation_periods  = 24
  treat_missing_data  = "breaching"
  alarm_actions       = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]

  dimensions = {
    EndpointName = module.realtime_endpoint.endpoint_name
    VariantName  = module.realtime_endpoint.variant_names[0]
  }
}

