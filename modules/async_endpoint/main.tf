# Generated from module.py by scripts/synth.py: change that, then run it again.

locals {
  # A name of its own may be longer than a prefix.
  name = var.name == null ? var.name_prefix : var.name

  # Where requests, answers and failures lie.
  folder = "${var.s3_uri}/${local.name}"

  # Families whose storage is a disk of their own, which encrypts itself.
  local_disk = [
    "c5d",
    "c6gd",
    "dl1",
    "g4dn",
    "g5",
    "g6",
    "g6e",
    "g7",
    "g7e",
    "m5d",
    "m6gd",
    "p4d",
    "p4de",
    "p5",
    "p5e",
    "p5en",
    "p6-b200",
    "p6-b300",
    "p6e-gb200",
    "r5d",
    "r6gd",
    "r7gd",
    "trn1",
    "trn1n",
    "trn2",
  ]
}

# A caller has its answer later: one topic tells of answers, the other of failures.
resource "aws_sns_topic" "this" {
  for_each = toset(["error", "success"])

  name              = "${local.name}-${each.key}"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

# SageMaker would create it at the first request, and keep it for ever.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:a container's logs are read for weeks; log_retention_days says how long

  name              = "/aws/sagemaker/Endpoints/${local.name}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

# No name: a model cannot be changed, so each new one needs a name of its own.
resource "aws_sagemaker_model" "this" {
  execution_role_arn       = var.role_arn
  enable_network_isolation = var.enable_network_isolation
  tags                     = var.tags

  primary_container {
    image                        = var.image_uri
    model_data_url               = var.model_data_url
    model_package_name           = var.model_package_arn
    inference_specification_name = var.inference_specification_name
    environment                  = var.environment_variables
  }

  lifecycle {
    create_before_destroy = true
  }
}

# An endpoint follows only a new configuration name, hence the prefix and the order of replacement.
resource "aws_sagemaker_endpoint_configuration" "this" {
  # checkov:skip=CKV_AWS_98:only instances with a local disk have no key: they encrypt it

  name_prefix = "${substr(local.name, 0, 36)}-"
  kms_key_arn = contains(local.local_disk, regex("^ml\\.([^.]+)", var.instance_type)[0]) ? null : var.kms_key_arn
  tags        = var.tags

  async_inference_config {
    output_config {
      s3_output_path  = "${local.folder}/answers"
      s3_failure_path = "${local.folder}/failures"
      kms_key_id      = var.kms_key_arn

      notification_config {
        error_topic   = aws_sns_topic.this["error"].arn
        success_topic = aws_sns_topic.this["success"].arn
      }
    }

    dynamic "client_config" {
      for_each = var.requests_per_instance[*]
      iterator = at_once

      content {
        max_concurrent_invocations_per_instance = at_once.value
      }
    }
  }

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = var.instance_type
    initial_instance_count = var.min_instances > 1 ? var.min_instances : 1
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = local.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = var.tags

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_appautoscaling_target" "instances" {
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/main"
  min_capacity       = var.min_instances
  max_capacity       = var.max_instances
  tags               = var.tags

  # AWS takes the target away with its endpoint, also where another of its name follows.
  lifecycle {
    replace_triggered_by = [aws_sagemaker_endpoint.this.id]
  }
}

# The backlog, since an asynchronous endpoint publishes no invocations to follow.
resource "aws_appautoscaling_policy" "backlog" {
  name               = "backlog-per-instance"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.instances.service_namespace
  scalable_dimension = aws_appautoscaling_target.instances.scalable_dimension
  resource_id        = aws_appautoscaling_target.instances.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.target_backlog_per_instance
    scale_in_cooldown  = var.scale_in_cooldown_seconds
    scale_out_cooldown = 60

    customized_metric_specification {
      namespace   = "AWS/SageMaker"
      metric_name = "ApproximateBacklogSizePerInstance"
      statistic   = "Average"

      dimensions {
        name  = "EndpointName"
        value = aws_sagemaker_endpoint.this.name
      }
    }
  }

  # AWS deletes the policies of a target with it.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances.id]
  }
}

# Of no instance there is no backlog per instance: without this one, zero stays zero until many wait.
resource "aws_appautoscaling_policy" "wake" {
  name               = "wake-from-zero"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.instances.service_namespace
  scalable_dimension = aws_appautoscaling_target.instances.scalable_dimension
  resource_id        = aws_appautoscaling_target.instances.resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Average"
    cooldown                = 300

    step_adjustment {
      metric_interval_lower_bound = "0"
      scaling_adjustment          = 1
    }
  }

  # AWS deletes the policies of a target with it.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances.id]
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  alarm_name          = "${aws_sagemaker_endpoint.this.name}-has-backlog-without-capacity"
  alarm_description   = "Requests wait, and no instance runs: starts one."
  namespace           = "AWS/SageMaker"
  metric_name         = "HasBacklogWithoutCapacity"
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "missing"
  alarm_actions       = [aws_appautoscaling_policy.wake.arn]
  tags                = var.tags

  dimensions = {
    EndpointName = aws_sagemaker_endpoint.this.name
  }
}
