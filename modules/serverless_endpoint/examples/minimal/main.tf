# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "serverless_endpoint" {
  source = "../.."

  name_prefix = "shop-churn"
  image_uri   = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/churn:1"
  kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  role_arn    = "arn:aws:iam::123456789012:role/shop-inference"
}

# Alarms on errors and latency.
resource "aws_cloudwatch_metric_alarm" "endpoint" {
  for_each = {
    Invocation5XXErrors = { statistic = "Sum", threshold = 1 }
    ModelLatency        = { statistic = "Average", threshold = 5000000 } # microseconds
  }

  alarm_name          = "shop-churn-${each.key}"
  namespace           = "AWS/SageMaker"
  metric_name         = each.key
  statistic           = each.value.statistic
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]

  dimensions = {
    EndpointName = module.serverless_endpoint.endpoint_name
    VariantName  = module.serverless_endpoint.variant_name
  }
}

