# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "realtime_endpoint" {
  source = "../.."

  name_prefix    = "shop-images"
  account_id     = "123456789012"
  region         = "eu-north-1"
  alarm_actions  = ["arn:aws:sns:eu-north-1:123456789012:ml-alarms"]
  silicon        = "inferentia2"
  instance_type  = "ml.inf2.xlarge"
  kms_key_arn    = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  latency_slo_ms = 300
  role_arn       = "arn:aws:iam::123456789012:role/shop-inference"

  containers = [
    {
      hostname  = "resize"
      image_uri = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/resize:1-neuronx"
    },
    {
      hostname       = "classify"
      image_uri      = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/classify:1-neuronx"
      model_data_url = "s3://shop-artifacts-123456789012-eu-north-1/models/images/model.tar.gz"
    },
  ]
}

# Notify of oversized instances, and of instances without requests.
resource "aws_cloudwatch_metric_alarm" "little_to_do" {
  alarm_name          = "shop-images-little-to-do"
  namespace           = "/aws/sagemaker/Endpoints"
  metric_name         = "CPUUtilization"
  statistic           = "Maximum"
  threshold           = 80 # of 400: each of four vCPUs counts as 100
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
  alarm_name          = "shop-images-idle"
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

