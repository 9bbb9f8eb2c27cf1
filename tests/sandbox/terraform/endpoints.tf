# One endpoint of every kind, with what scales it, as their users write them.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "eu-north-1"
}

variable "name" {
  type = string
}

variable "image" {
  type = string
}

variable "bucket" {
  type        = string
  description = "Where model.tar.gz is, and models/ for the multi-model endpoint; what is captured and answered goes there, too."
}

locals {
  kinds  = toset(["serverless", "provisioned", "shadowed", "canary", "rolling", "async", "multi", "serial"])
  names  = { for kind in local.kinds : kind => "${var.name}-${kind}" }
  bucket = "arn:aws:s3:::${var.bucket}"
  model  = "s3://${var.bucket}/model.tar.gz"
  trust = {
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "sagemaker.amazonaws.com" } }
    ]
  }
  allowed = {
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "${local.bucket}/*" },
      { Effect = "Allow", Action = "s3:ListBucket", Resource = local.bucket },
      { Effect = "Allow", Action = "sns:Publish", Resource = [aws_sns_topic.answered.arn, aws_sns_topic.failed.arn] },
    ]
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_iam_role_policy" "this" {
  role   = aws_iam_role.this.id
  policy = jsonencode(local.allowed)
}

resource "aws_sagemaker_model" "one" {
  for_each           = toset(["first", "second"])
  name               = "${var.name}-${each.key}"
  execution_role_arn = aws_iam_role.this.arn
  primary_container {
    image          = var.image
    model_data_url = local.model
    environment    = { WHICH = each.key }
  }
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_sagemaker_model" "multi" {
  name               = "${var.name}-multi"
  execution_role_arn = aws_iam_role.this.arn
  primary_container {
    image          = var.image
    mode           = "MultiModel"
    model_data_url = "s3://${var.bucket}/models/"
    multi_model_config {
      model_cache_setting = "Enabled"
    }
  }
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_sagemaker_model" "serial" {
  name               = "${var.name}-serial"
  execution_role_arn = aws_iam_role.this.arn
  inference_execution_config {
    mode = "Serial"
  }
  container {
    container_hostname = "before"
    image              = var.image
    model_data_url     = local.model
  }
  container {
    container_hostname = "after"
    image              = var.image
    model_data_url     = local.model
  }
  depends_on = [aws_iam_role_policy.this]
}

# Else each endpoint makes its own, and it stays.
resource "aws_cloudwatch_log_group" "this" {
  for_each          = local.names
  name              = "/aws/sagemaker/Endpoints/${each.value}"
  retention_in_days = 30
}

# Serverless

resource "aws_sagemaker_endpoint_configuration" "serverless" {
  name_prefix = "${local.names.serverless}-"
  production_variants {
    variant_name = "main"
    model_name   = aws_sagemaker_model.one["first"].name
    serverless_config {
      memory_size_in_mb = 1024
      max_concurrency   = 4
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "serverless" {
  name                 = local.names.serverless
  endpoint_config_name = aws_sagemaker_endpoint_configuration.serverless.name
  depends_on           = [aws_cloudwatch_log_group.this]
}

resource "aws_sagemaker_endpoint_configuration" "provisioned" {
  name_prefix = "${local.names.provisioned}-"
  production_variants {
    variant_name = "main"
    model_name   = aws_sagemaker_model.one["first"].name
    serverless_config {
      memory_size_in_mb       = 1024
      max_concurrency         = 4
      provisioned_concurrency = 1
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "provisioned" {
  name                 = local.names.provisioned
  endpoint_config_name = aws_sagemaker_endpoint_configuration.provisioned.name
  depends_on           = [aws_cloudwatch_log_group.this]
}

resource "aws_appautoscaling_target" "provisioned" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.provisioned.name}/variant/main"
  scalable_dimension = "sagemaker:variant:DesiredProvisionedConcurrency"
  min_capacity       = 1
  max_capacity       = 3
}

resource "aws_appautoscaling_policy" "provisioned" {
  name               = "${local.names.provisioned}-utilization"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.provisioned.service_namespace
  resource_id        = aws_appautoscaling_target.provisioned.resource_id
  scalable_dimension = aws_appautoscaling_target.provisioned.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value = 0.7
    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantProvisionedConcurrencyUtilization"
    }
  }
}

# Real-time, with capture and a shadow variant

resource "aws_sagemaker_endpoint_configuration" "shadowed" {
  name_prefix = "${local.names.shadowed}-"
  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.one["first"].name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }
  shadow_production_variants {
    variant_name           = "shadow"
    model_name             = aws_sagemaker_model.one["second"].name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
    initial_variant_weight = 0.5
  }
  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 100
    destination_s3_uri          = "s3://${var.bucket}/captured"
    capture_options {
      capture_mode = "InputAndOutput"
    }
    capture_content_type_header {
      csv_content_types = ["text/csv"]
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "shadowed" {
  name                 = local.names.shadowed
  endpoint_config_name = aws_sagemaker_endpoint_configuration.shadowed.name
  depends_on           = [aws_cloudwatch_log_group.this]
}

# Real-time, scaled by its load and by the clock, deployed by canary

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each            = { for kind in ["canary", "rolling"] : kind => local.names[kind] }
  alarm_name          = "${each.value}-errors"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocation5XXErrors"
  dimensions          = { EndpointName = each.value, VariantName = "main" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
}

resource "aws_sagemaker_endpoint_configuration" "canary" {
  name_prefix = "${local.names.canary}-"
  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.one["first"].name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 2
    routing_config {
      routing_strategy = "LEAST_OUTSTANDING_REQUESTS"
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "canary" {
  name                 = local.names.canary
  endpoint_config_name = aws_sagemaker_endpoint_configuration.canary.name
  deployment_config {
    blue_green_update_policy {
      traffic_routing_configuration {
        type                     = "CANARY"
        wait_interval_in_seconds = 300
        canary_size {
          type  = "CAPACITY_PERCENT"
          value = 50
        }
      }
      termination_wait_in_seconds          = 300
      maximum_execution_timeout_in_seconds = 1800
    }
    auto_rollback_configuration {
      alarms {
        alarm_name = aws_cloudwatch_metric_alarm.errors["canary"].alarm_name
      }
    }
  }
  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_appautoscaling_target" "canary" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.canary.name}/variant/main"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 2
  max_capacity       = 4
}

resource "aws_appautoscaling_policy" "invocations" {
  name               = "${local.names.canary}-invocations"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.canary.service_namespace
  resource_id        = aws_appautoscaling_target.canary.resource_id
  scalable_dimension = aws_appautoscaling_target.canary.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value       = 600
    scale_in_cooldown  = 300
    scale_out_cooldown = 60
    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "mornings" {
  name               = "${local.names.canary}-mornings"
  service_namespace  = aws_appautoscaling_target.canary.service_namespace
  resource_id        = aws_appautoscaling_target.canary.resource_id
  scalable_dimension = aws_appautoscaling_target.canary.scalable_dimension
  schedule           = "cron(0 8 ? * MON-FRI *)"
  start_time         = "2087-01-01T00:00:00Z"
  timezone           = "Europe/Stockholm"
  scalable_target_action {
    min_capacity = 3
    max_capacity = 4
  }
}

# Real-time, deployed in batches

resource "aws_sagemaker_endpoint_configuration" "rolling" {
  name_prefix = "${local.names.rolling}-"
  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.one["first"].name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 2
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "rolling" {
  name                 = local.names.rolling
  endpoint_config_name = aws_sagemaker_endpoint_configuration.rolling.name
  deployment_config {
    rolling_update_policy {
      wait_interval_in_seconds             = 60
      maximum_execution_timeout_in_seconds = 1800
      maximum_batch_size {
        type  = "CAPACITY_PERCENT"
        value = 50
      }
      rollback_maximum_batch_size {
        type  = "CAPACITY_PERCENT"
        value = 100
      }
    }
    auto_rollback_configuration {
      alarms {
        alarm_name = aws_cloudwatch_metric_alarm.errors["rolling"].alarm_name
      }
    }
  }
  depends_on = [aws_cloudwatch_log_group.this]
}

# Asynchronous, scaled to zero and back

resource "aws_sns_topic" "answered" {
  name = "${var.name}-answered"
}

resource "aws_sns_topic" "failed" {
  name = "${var.name}-failed"
}

resource "aws_sagemaker_endpoint_configuration" "async" {
  name_prefix = "${local.names.async}-"
  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.one["first"].name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }
  async_inference_config {
    client_config {
      max_concurrent_invocations_per_instance = 2
    }
    output_config {
      s3_output_path  = "s3://${var.bucket}/answers"
      s3_failure_path = "s3://${var.bucket}/failures"
      notification_config {
        success_topic                 = aws_sns_topic.answered.arn
        error_topic                   = aws_sns_topic.failed.arn
        include_inference_response_in = ["SUCCESS_NOTIFICATION_TOPIC"]
      }
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "async" {
  name                 = local.names.async
  endpoint_config_name = aws_sagemaker_endpoint_configuration.async.name
  depends_on           = [aws_cloudwatch_log_group.this]
}

resource "aws_appautoscaling_target" "async" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.async.name}/variant/main"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 0
  max_capacity       = 2
}

resource "aws_appautoscaling_policy" "backlog" {
  name               = "${local.names.async}-backlog"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.async.service_namespace
  resource_id        = aws_appautoscaling_target.async.resource_id
  scalable_dimension = aws_appautoscaling_target.async.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value       = 5
    scale_in_cooldown  = 600
    scale_out_cooldown = 300
    customized_metric_specification {
      namespace   = "AWS/SageMaker"
      metric_name = "ApproximateBacklogSizePerInstance"
      statistic   = "Average"
      dimensions {
        name  = "EndpointName"
        value = aws_sagemaker_endpoint.async.name
      }
    }
  }
}

resource "aws_appautoscaling_policy" "wake" {
  name               = "${local.names.async}-wake"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.async.service_namespace
  resource_id        = aws_appautoscaling_target.async.resource_id
  scalable_dimension = aws_appautoscaling_target.async.scalable_dimension
  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Average"
    cooldown                = 150
    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  alarm_name          = "${local.names.async}-wake"
  namespace           = "AWS/SageMaker"
  metric_name         = "HasBacklogWithoutCapacity"
  dimensions          = { EndpointName = aws_sagemaker_endpoint.async.name }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "missing"
  alarm_actions       = [aws_appautoscaling_policy.wake.arn]
}

# Many models in one container; several containers for one answer

resource "aws_sagemaker_endpoint_configuration" "multi" {
  name_prefix = "${local.names.multi}-"
  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.multi.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "multi" {
  name                 = local.names.multi
  endpoint_config_name = aws_sagemaker_endpoint_configuration.multi.name
  depends_on           = [aws_cloudwatch_log_group.this]
}

resource "aws_sagemaker_endpoint_configuration" "serial" {
  name_prefix = "${local.names.serial}-"
  production_variants {
    variant_name                                      = "main"
    model_name                                        = aws_sagemaker_model.serial.name
    instance_type                                     = "ml.c7g.large"
    initial_instance_count                            = 1
    container_startup_health_check_timeout_in_seconds = 120
    model_data_download_timeout_in_seconds            = 120
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "serial" {
  name                 = local.names.serial
  endpoint_config_name = aws_sagemaker_endpoint_configuration.serial.name
  depends_on           = [aws_cloudwatch_log_group.this]
}
