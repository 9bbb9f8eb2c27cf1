# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "realtime_endpoint" {
  source = "../.."

  name_prefix    = "shop-churn"
  account_id     = "123456789012"
  region         = "eu-north-1"
  alarm_actions  = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]
  image_uri      = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/churn:1-arm64"
  kms_key_arn    = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  latency_slo_ms = 200
  role_arn       = "arn:aws:iam::123456789012:role/shop-inference"
}

# Notify of oversized instances, and of instances without requests.
resource "aws_cloudwatch_metric_alarm" "little_to_do" {
  alarm_name          = "shop-churn-little-to-do"
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
  alarm_name          = "shop-churn-idle"
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

