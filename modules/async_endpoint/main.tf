# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # The name may be longer than name_prefix.
  name = var.name == null ? var.name_prefix : var.name

  # Folder of requests, responses and failures.
  folder = "${var.s3_uri}/${local.name}"
}

# Callers get their responses later. One topic notifies of responses, the other of failures.
resource "aws_sns_topic" "this" {
  for_each = toset(["error", "success"])

  name              = "${local.name}-${each.key}"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

# Created before the endpoint, which names it from its first apply. Adding it later would replace the endpoint.
resource "aws_cloudwatch_metric_alarm" "failures" {
  alarm_name          = "${local.name}-failures"
  alarm_description   = "Requests of ${local.name} fail."
  namespace           = "AWS/SageMaker"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  metric_name         = "InvocationFailures"
  statistic           = "Sum"
  threshold           = var.rollback_failures
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    EndpointName = local.name
    VariantName  = var.variant_name
  }
}

# SageMaker refuses a new instance type for variants with scaling. This resource sets the order: the scaling is
# destroyed first, then this is replaced, then the endpoint is updated, and then the scaling is created.
resource "terraform_data" "instance_type" {
  triggers_replace = {
    instance_type = var.instance_type
  }
}

# SageMaker refuses an update to an endpoint's current configuration. The provider would send one when only
# deployment_config changes, so this replaces the configuration.
resource "terraform_data" "deployment" {
  input = merge(
    {
      bake_seconds         = var.bake_seconds
      more_rollback_alarms = toset(var.more_rollback_alarms)
    },
    {
      for vpc_config in var.vpc_config[*] : "vpc_config" => {
        security_group_ids = toset(vpc_config.security_group_ids)
        subnets            = toset(vpc_config.subnets)
      }
    },
  )
}

locals {
  # SageMaker starts Inferentia2 with Neuron drivers only if they are set.
  inference_ami_version = var.silicon == "inferentia2" ? "al2-ami-sagemaker-inference-neuron-2" : null
}

# Without this, SageMaker creates the log group at the first request and keeps its logs forever.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:a container's logs are useful for weeks; log_retention_days sets the retention

  name              = "/aws/sagemaker/Endpoints/${local.name}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

# Without a name: a model cannot be updated, so each new model needs a new name.
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

  dynamic "vpc_config" {
    for_each = var.vpc_config[*]

    content {
      subnets            = vpc_config.value.subnets
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.deployment]
  }
}

# An endpoint is updated only by a new configuration name, hence the name prefix and create_before_destroy.
resource "aws_sagemaker_endpoint_configuration" "this" {
  # checkov:skip=CKV_AWS_98:only instances with a local disk have no key: the disk encrypts itself

  name_prefix = "${substr(local.name, 0, 36)}-"
  kms_key_arn = contains(local.local_disk, concat(split(".", var.instance_type), ["", ""])[1]) ? null : var.kms_key_arn
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
    variant_name           = var.variant_name
    model_name             = aws_sagemaker_model.this.name
    instance_type          = var.instance_type
    initial_instance_count = var.min_instances > 1 ? var.min_instances : 1
    inference_ami_version  = local.inference_ami_version
  }

  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.deployment]
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = local.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = var.tags

  deployment_config {
    blue_green_update_policy {
      termination_wait_in_seconds = var.bake_seconds

      traffic_routing_configuration {
        type                     = "ALL_AT_ONCE"
        wait_interval_in_seconds = 0
      }
    }

    auto_rollback_configuration {
      dynamic "alarms" {
        for_each = toset(concat([aws_cloudwatch_metric_alarm.failures.alarm_name], var.more_rollback_alarms))
        iterator = alarm

        content {
          alarm_name = alarm.value
        }
      }
    }
  }

  # After a failed or rolled-back update, the endpoint is in service with its old configuration. The provider
  # reports success and then deletes that configuration, which is in use. The postcondition ends the apply before
  # that.
  lifecycle {
    postcondition {
      condition     = self.endpoint_config_name == aws_sagemaker_endpoint_configuration.this.name
      error_message = "The endpoint ${self.name} was rolled back and serves the old model: the new model did not start, or a rollback alarm went off. Nothing is lost. Check the alarms and the log group /aws/sagemaker/Endpoints/${local.name}, then apply again with a model that works."
    }
  }

  depends_on = [aws_cloudwatch_log_group.this, terraform_data.instance_type]
}

resource "aws_appautoscaling_target" "instances" {
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/${var.variant_name}"
  min_capacity       = var.min_instances
  max_capacity       = var.max_instances
  tags               = var.tags

  # AWS deletes the target with its endpoint, even if an endpoint with the same name follows.
  lifecycle {
    replace_triggered_by = [aws_sagemaker_endpoint.this.id, terraform_data.instance_type]
  }
}

# Scales by the backlog, because an asynchronous endpoint publishes no invocation metric. It only adds
# instances: SageMaker does not document that scale-in spares busy instances.
resource "aws_appautoscaling_policy" "backlog" {
  name               = "backlog-per-instance"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.instances.service_namespace
  scalable_dimension = aws_appautoscaling_target.instances.scalable_dimension
  resource_id        = aws_appautoscaling_target.instances.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.target_backlog_per_instance
    disable_scale_in   = !var.scale_in_while_busy
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

  # AWS deletes policies and scheduled actions together with their target.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances.id]
  }
}

# Without an instance there is no backlog per instance. Without this policy, the first requests would wait.
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

  # AWS deletes policies and scheduled actions together with their target.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances.id]
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  alarm_name          = "${aws_sagemaker_endpoint.this.name}-has-backlog-without-capacity"
  alarm_description   = "Requests wait and no instance runs: starts an instance."
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

resource "aws_appautoscaling_policy" "rest" {
  name               = "rest-without-backlog"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.instances.service_namespace
  scalable_dimension = aws_appautoscaling_target.instances.scalable_dimension
  resource_id        = aws_appautoscaling_target.instances.resource_id

  # Removes all instances down to min_instances; all are idle.
  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = var.scale_in_cooldown_seconds

    step_adjustment {
      metric_interval_upper_bound = "0"
      scaling_adjustment          = 0 - var.max_instances
    }
  }

  # AWS deletes policies and scheduled actions together with their target.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances.id]
  }
}

# ApproximateBacklogSize counts waiting and running requests. A minute without a datapoint counts as busy, so
# that a late metric removes no instance.
resource "aws_cloudwatch_metric_alarm" "rest" {
  alarm_name          = "${aws_sagemaker_endpoint.this.name}-has-no-backlog"
  alarm_description   = "No request waits or runs: removes the instances."
  namespace           = "AWS/SageMaker"
  metric_name         = "ApproximateBacklogSize"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 15
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.rest.arn]
  tags                = var.tags

  dimensions = {
    EndpointName = aws_sagemaker_endpoint.this.name
  }
}

locals {
  # Instance families for SageMaker hosting, by silicon.
  families = {
    graviton    = ["c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g"]
    inferentia2 = ["inf2"]
    gpu = [
      "g4dn", "g5", "g6", "g6e", "g7", "g7e", "p4d", "p4de", "p5", "p5e", "p5en", "p6-b200", "p6-b300",
    ]
    x86 = [
      "c4", "c5", "c5d", "c6i", "c6in", "c7i", "m4", "m5", "m5d", "m6i", "m7i", "r5", "r5d", "r6i", "r7i",
    ]
  }

  # Patterns of images for one silicon. Images that match none may run on any.
  images_for = {
    amd64       = "amd64|x86"
    gpu         = "-gpu-"
    graviton    = "aarch64|arm64|graviton"
    inferentia2 = "neuron"
    x86         = "/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
  }

  # Patterns of images for other silicon; amd64 is every silicon except Graviton.
  images_not_for = {
    graviton    = "amd64|x86|-gpu-|neuron|/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
    inferentia2 = "-gpu-|aarch64|arm64|graviton|/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
    gpu         = "aarch64|arm64|graviton|neuron|/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
    x86         = "-gpu-|aarch64|arm64|graviton|neuron"
  }

  # Families with a local disk, which encrypts itself.
  local_disk = [
    "c5d", "c6gd", "g4dn", "g5", "g6", "g6e", "g7", "g7e", "m5d", "m6gd", "p4d", "p4de", "p5", "p5e",
    "p5en", "p6-b200", "p6-b300", "r5d", "r6gd", "r7gd",
  ]

  # Regions without a family or a type. All other Regions have it.
  not_in_region = {
    c4 = [
      "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
      "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-3", "il-central-1",
      "me-central-1", "me-south-1",
    ]
    c5  = ["ap-southeast-5"]
    c5d = ["ap-southeast-5", "ca-west-1"]
    c6gd = [
      "ap-east-1", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-south-1",
      "il-central-1", "me-central-1", "me-south-1",
    ]
    c6gn = [
      "af-south-1", "ap-south-2", "ap-southeast-4", "eu-central-2", "eu-south-2", "me-central-1",
    ]
    c6i = ["ap-southeast-3", "ap-southeast-4", "eu-central-2", "eu-south-2", "me-central-1"]
    c7g = ["ap-southeast-4", "me-central-1"]
    c7i = ["me-south-1"]
    c8g = ["me-central-1", "me-south-1"]
    g4dn = [
      "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-central-2",
      "eu-south-2", "il-central-1", "me-central-1",
    ]
    g5 = [
      "af-south-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-4", "ap-southeast-5",
      "ca-west-1", "eu-central-2", "eu-south-1", "me-south-1", "us-west-1",
    ]
    g6 = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-southeast-1", "ap-southeast-3", "ap-southeast-4",
      "ca-west-1", "eu-south-1", "eu-west-1", "il-central-1", "me-south-1", "us-west-1",
    ]
    g6e = [
      "af-south-1", "ap-east-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
      "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1", "eu-west-1",
      "eu-west-2", "eu-west-3", "il-central-1", "me-south-1", "sa-east-1", "us-west-1",
    ]
    g7 = [
      "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
      "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
      "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1", "eu-west-1",
      "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "sa-east-1", "us-west-1",
    ]
    g7e = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
      "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1",
      "eu-west-1", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "sa-east-1", "us-west-1",
    ]
    inf2 = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-4",
      "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2",
      "il-central-1", "me-central-1", "me-south-1", "us-west-1",
    ]
    "ml.inf2.24xlarge" = ["ap-northeast-2"]
    "ml.inf2.48xlarge" = ["ap-northeast-2"]
    "ml.inf2.8xlarge"  = ["ap-northeast-2"]
    m4 = [
      "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
      "ca-west-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-3", "il-central-1",
      "me-central-1", "me-south-1",
    ]
    "ml.m4.10xlarge" = ["ap-northeast-3"]
    m5               = ["ap-southeast-5"]
    m5d              = ["ap-southeast-5"]
    m6i              = ["ap-southeast-4", "eu-south-2"]
    m7i              = ["ca-west-1", "me-south-1"]
    m8g              = ["il-central-1"]
    p4d = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-3",
      "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2",
      "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "us-west-1",
    ]
    p4de = [
      "af-south-1", "ap-east-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
      "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1",
      "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
      "me-central-1", "me-south-1", "sa-east-1", "us-east-2", "us-west-1",
    ]
    p5 = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-4",
      "ap-southeast-5", "ca-west-1", "eu-central-1", "eu-central-2", "eu-south-1", "eu-south-2",
      "eu-west-1", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    ]
    "ml.p5.4xlarge" = ["ap-northeast-2", "ca-central-1", "us-west-1"]
    p5e = [
      "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
      "ap-south-2", "ap-southeast-1", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1",
      "eu-central-1", "eu-central-2", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3",
      "il-central-1", "me-central-1", "me-south-1", "us-east-1", "us-west-1",
    ]
    p5en = [
      "af-south-1", "ap-east-1", "ap-northeast-3", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
      "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2",
      "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-south-1", "sa-east-1",
    ]
    p6-b200 = [
      "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1",
      "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1",
      "eu-central-1", "eu-central-2", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
      "il-central-1", "me-central-1", "me-south-1", "sa-east-1", "us-west-1",
    ]
    p6-b300 = [
      "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
      "ap-southeast-2", "ap-southeast-4", "ap-southeast-5", "ca-central-1", "ca-west-1", "eu-central-1",
      "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
      "il-central-1", "me-central-1", "me-south-1", "us-east-2", "us-west-1",
    ]
    r5  = ["ap-southeast-5"]
    r5d = ["ap-southeast-5", "ca-west-1"]
    r6gd = [
      "ap-east-1", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ca-west-1", "eu-south-1",
      "il-central-1", "me-central-1", "me-south-1",
    ]
    r6i  = ["ap-southeast-3", "ap-southeast-4", "eu-south-2"]
    r7gd = ["ap-southeast-4", "ca-central-1", "ca-west-1", "eu-central-2", "me-south-1"]
    r7i = [
      "af-south-1", "ap-east-1", "ca-west-1", "eu-central-2", "il-central-1", "me-central-1", "me-south-1",
    ]
    r8g = ["il-central-1", "me-south-1"]
  }

  # Families, and single types, that version 5 of the AWS provider refuses.
  refused_by_provider_5 = ["c6in", "c8g", "g7", "g7e", "m8g", "p6-b200", "p6-b300", "r7gd", "ml.p5.4xlarge"]

  # Instance sizes of each family for SageMaker hosting.
  sizes = {
    c4   = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"]
    c5   = ["large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge"]
    c5d  = ["large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge"]
    c6g  = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    c6gd = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    c6gn = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    c6i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
    ]
    c6in = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
    ]
    c7g = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    c7i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    c8g = [
      "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
      "48xlarge",
    ]
    g4dn = ["xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    g5 = [
      "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    g6 = [
      "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    g6e = [
      "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    g7   = ["2xlarge", "4xlarge", "8xlarge", "12xlarge", "24xlarge", "48xlarge"]
    g7e  = ["2xlarge", "4xlarge", "8xlarge", "12xlarge", "24xlarge", "48xlarge"]
    inf2 = ["xlarge", "8xlarge", "24xlarge", "48xlarge"]
    m4   = ["xlarge", "2xlarge", "4xlarge", "10xlarge", "16xlarge"]
    m5   = ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]
    m5d  = ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]
    m6g  = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    m6gd = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    m6i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
    ]
    m7i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    m8g = [
      "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
      "48xlarge",
    ]
    p4d     = ["24xlarge"]
    p4de    = ["24xlarge"]
    p5      = ["4xlarge", "48xlarge"]
    p5e     = ["48xlarge"]
    p5en    = ["48xlarge"]
    p6-b200 = ["48xlarge"]
    p6-b300 = ["48xlarge"]
    r5      = ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]
    r5d     = ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"]
    r6g     = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    r6gd    = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    r6i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
    ]
    r7gd = ["medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
    r7i = [
      "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge",
    ]
    r8g = [
      "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
      "48xlarge",
    ]
  }
}

data "aws_caller_identity" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

data "aws_region" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

check "location" {
  assert {
    condition     = alltrue([for identity in data.aws_caller_identity.location : identity.account_id == var.account_id]) ? alltrue([for region in data.aws_region.location : region.id == var.region]) : false
    error_message = "the provider works in another account or Region than ${var.account_id} and ${var.region}; correct account_id and region, or pass another provider."
  }
}
