# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # The name may be longer than name_prefix.
  name = var.name == null ? var.name_prefix : var.name

  # Weights of the variants that serve requests. Their names must not change: a deployment matches by name.
  weights = merge(
    { for name in [var.variant_name] : name => 100 },
    { for key, challenger in var.challengers : key => challenger.weight },
  )
}

# Created before the endpoint, which names them from its first apply. Adding them later would replace the
# endpoint.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = toset(keys(local.weights))

  alarm_name          = "${local.name}-${each.key}-errors"
  alarm_description   = "More than ${var.deployment.error_percent} % of the responses of ${each.key} are errors."
  namespace           = "AWS/SageMaker"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  metric_name         = "Invocation5XXErrors"
  statistic           = "Average"
  threshold           = var.deployment.error_percent / 100
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    EndpointName = local.name
    VariantName  = each.key
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  for_each = toset(keys(local.weights))

  alarm_name          = "${local.name}-${each.key}-latency"
  alarm_description   = "One of ten responses of ${each.key} takes more than ${var.latency_slo_ms} ms."
  namespace           = "AWS/SageMaker"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  metric_name         = "ModelLatency"
  extended_statistic  = "p90"
  # In microseconds.
  threshold           = var.latency_slo_ms * 1000
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    EndpointName = local.name
    VariantName  = each.key
  }
}

# Without this, SageMaker creates the log group at the first request and keeps its logs forever.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:a container's logs are useful for weeks; log_retention_days sets the retention

  name              = "/aws/sagemaker/Endpoints/${local.name}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

# SageMaker cannot update a model. For a change of the network, AWS provider versions before 6.25 plan an update
# that has no effect (provider issue 45491). This resource replaces the models instead.
resource "terraform_data" "network" {
  input = {
    vpc_config = one([
      for vpc_config in var.vpc_config[*] : {
        security_group_ids = toset(vpc_config.security_group_ids)
        subnets            = toset(vpc_config.subnets)
      }
    ])
  }
}

# Replaces the models when the mode of several containers changes, for every provider version.
resource "terraform_data" "containers_mode" {
  input = {
    mode = length(var.containers) == 0 ? null : var.containers_mode
  }
}

# Without a name: a model cannot be updated, so each new model needs a new name.
resource "aws_sagemaker_model" "this" {
  execution_role_arn       = var.role_arn
  enable_network_isolation = var.enable_network_isolation
  tags                     = var.tags

  dynamic "container" {
    for_each = var.containers

    content {
      container_hostname = container.value.hostname
      image              = container.value.image_uri
      model_data_url     = container.value.model_data_url
      environment        = container.value.environment_variables
    }
  }

  dynamic "inference_execution_config" {
    for_each = length(var.containers) == 0 ? [] : [var.containers_mode]
    iterator = mode

    content {
      mode = mode.value
    }
  }

  dynamic "primary_container" {
    for_each = length(var.containers) == 0 ? ["main"] : []

    content {
      image                        = var.image_uri
      model_data_url               = var.models_s3_uri == null ? var.model_data_url : var.models_s3_uri
      model_package_name           = var.model_package_arn
      inference_specification_name = var.inference_specification_name
      environment                  = var.environment_variables
      mode                         = var.models_s3_uri == null ? "SingleModel" : "MultiModel"

      dynamic "multi_model_config" {
        for_each = var.models_s3_uri[*]

        content {
          model_cache_setting = var.model_cache ? "Enabled" : "Disabled"
        }
      }
    }
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
    replace_triggered_by  = [terraform_data.network, terraform_data.containers_mode]
  }
}

# Models of the other variants.
resource "aws_sagemaker_model" "others" {
  for_each = merge(var.challengers, nonsensitive(var.shadow == null) ? {} : { shadow = var.shadow })

  execution_role_arn       = var.role_arn
  enable_network_isolation = var.enable_network_isolation
  tags                     = var.tags

  primary_container {
    image                        = each.value.image_uri
    model_data_url               = each.value.model_data_url
    model_package_name           = each.value.model_package_arn
    inference_specification_name = each.value.inference_specification_name
    environment                  = each.value.environment_variables
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
    replace_triggered_by  = [terraform_data.network]
  }
}

# SageMaker refuses an update to an endpoint's current configuration. The provider would send one when only
# deployment_config changes, so this replaces the configuration.
resource "terraform_data" "deployment" {
  input = {
    bake_seconds         = var.deployment.strategy == "rolling" ? null : var.deployment.bake_seconds
    more_rollback_alarms = toset(var.more_rollback_alarms)
    step_percent         = var.deployment.strategy == "all_at_once" ? null : var.deployment.step_percent
    strategy             = var.deployment.strategy
    wait_seconds         = var.deployment.wait_seconds
  }
}

locals {
  # SageMaker starts Inferentia2 with Neuron drivers only if they are set.
  inference_ami_version = var.silicon == "inferentia2" ? "al2-ami-sagemaker-inference-neuron-2" : var.inference_ami_version
}

# An endpoint is updated only by a new configuration name, hence the name prefix and create_before_destroy.
resource "aws_sagemaker_endpoint_configuration" "this" {
  # checkov:skip=CKV_AWS_98:only instances with a local disk have no key: the disk encrypts itself

  name_prefix = "${substr(local.name, 0, 36)}-"
  kms_key_arn = contains(local.local_disk, concat(split(".", var.instance_type), ["", ""])[1]) ? null : var.kms_key_arn
  tags        = var.tags

  production_variants {
    variant_name           = var.variant_name
    model_name             = aws_sagemaker_model.this.name
    initial_instance_count = var.min_instances
    initial_variant_weight = 100
    instance_type          = var.instance_type
    inference_ami_version  = local.inference_ami_version

    routing_config {
      routing_strategy = "LEAST_OUTSTANDING_REQUESTS"
    }
  }

  dynamic "data_capture_config" {
    for_each = var.data_capture[*]
    iterator = settings

    content {
      enable_capture              = true
      initial_sampling_percentage = settings.value.percent
      destination_s3_uri          = settings.value.s3_uri
      kms_key_id                  = var.kms_key_arn

      capture_options {
        capture_mode = "Input"
      }

      capture_options {
        capture_mode = "Output"
      }

      capture_content_type_header {
        csv_content_types  = ["text/csv"]
        json_content_types = ["application/json", "application/jsonlines"]
      }
    }
  }

  dynamic "production_variants" {
    for_each = var.challengers
    iterator = variant

    content {
      variant_name           = variant.key
      model_name             = aws_sagemaker_model.others[variant.key].name
      initial_instance_count = var.min_instances
      initial_variant_weight = variant.value.weight
      instance_type          = var.instance_type
      inference_ami_version  = local.inference_ami_version

      routing_config {
        routing_strategy = "LEAST_OUTSTANDING_REQUESTS"
      }
    }
  }

  dynamic "shadow_production_variants" {
    for_each = var.shadow[*]
    iterator = shadow

    content {
      variant_name           = "shadow"
      model_name             = aws_sagemaker_model.others["shadow"].name
      initial_instance_count = shadow.value.instances
      initial_variant_weight = shadow.value.percent
      instance_type          = var.instance_type
      inference_ami_version  = local.inference_ami_version

      routing_config {
        routing_strategy = "LEAST_OUTSTANDING_REQUESTS"
      }
    }
  }

  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.deployment]
  }
}

# SageMaker refuses a new instance type for variants with scaling. This resource sets the order: the scaling is
# destroyed first, then this is replaced, then the endpoint is updated, and then the scaling is created.
resource "terraform_data" "instance_type" {
  triggers_replace = {
    instance_type = var.instance_type
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = local.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = var.tags

  deployment_config {
    auto_rollback_configuration {
      dynamic "alarms" {
        for_each = toset(concat(
          [for alarm in aws_cloudwatch_metric_alarm.errors : alarm.alarm_name],
          [for alarm in aws_cloudwatch_metric_alarm.latency : alarm.alarm_name],
          var.more_rollback_alarms,
        ))
        iterator = alarm

        content {
          alarm_name = alarm.value
        }
      }
    }

    dynamic "blue_green_update_policy" {
      for_each = var.deployment.strategy == "rolling" ? [] : [var.deployment]
      iterator = new

      content {
        termination_wait_in_seconds = new.value.bake_seconds

        traffic_routing_configuration {
          type                     = upper(new.value.strategy)
          wait_interval_in_seconds = new.value.wait_seconds

          dynamic "canary_size" {
            for_each = var.deployment.strategy == "canary" ? [var.deployment.step_percent] : []
            iterator = size

            content {
              type  = "CAPACITY_PERCENT"
              value = size.value
            }
          }

          dynamic "linear_step_size" {
            for_each = var.deployment.strategy == "linear" ? [var.deployment.step_percent] : []
            iterator = size

            content {
              type  = "CAPACITY_PERCENT"
              value = size.value
            }
          }
        }
      }
    }

    dynamic "rolling_update_policy" {
      for_each = var.deployment.strategy == "rolling" ? [var.deployment] : []
      iterator = new

      content {
        wait_interval_in_seconds = new.value.wait_seconds

        maximum_batch_size {
          type  = "CAPACITY_PERCENT"
          value = new.value.step_percent
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

# Variants of the endpoint at its creation. SageMaker cannot rename the variants of an endpoint.
resource "terraform_data" "variants" {
  input = {
    names = join(", ", keys(local.weights))
  }

  lifecycle {
    ignore_changes       = [input]
    replace_triggered_by = [aws_sagemaker_endpoint.this.id]

    postcondition {
      condition     = self.output.names == join(", ", keys(local.weights))
      error_message = "challengers, variant_name: SageMaker updates an endpoint only with the same variants, which are ${self.output.names} here, and not ${join(", ", keys(local.weights))}. Keep them (with a weight of 1, a variant gets almost no requests), or create another endpoint with another name."
    }
  }
}

# Scaling limits of the inputs. Off hours change the limits of the targets, and a plan at night would revert
# that. So a target ignores its limits, and is replaced when these inputs change.
resource "terraform_data" "bounds" {
  input = {
    max_instances = var.max_instances
    min_instances = var.min_instances
    off_hours     = var.off_hours
  }
}

resource "aws_appautoscaling_target" "instances" {
  for_each = toset(keys(local.weights))

  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/${each.key}"
  min_capacity       = var.min_instances
  max_capacity       = var.max_instances
  tags               = var.tags

  # AWS deletes the target with its endpoint, even if an endpoint with the same name follows.
  lifecycle {
    ignore_changes       = [max_capacity, min_capacity]
    replace_triggered_by = [aws_sagemaker_endpoint.this.id, terraform_data.instance_type, terraform_data.bounds]
  }
}

# Uses the metric without math that fills gaps. A late metric has gaps in the last minutes, and zeros there
# would delay the alarm that adds instances.
resource "aws_appautoscaling_policy" "requests" {
  for_each = aws_appautoscaling_target.instances

  name               = "requests-per-instance"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = each.value.service_namespace
  scalable_dimension = each.value.scalable_dimension
  resource_id        = each.value.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.requests_per_instance
    scale_in_cooldown  = var.scale_in_cooldown_seconds
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }

  # AWS deletes policies and scheduled actions together with their target.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances[each.key].id]
  }
}

# Target tracking does nothing without data. SageMaker's guide is not clear whether a variant without requests
# publishes zeros or nothing.
resource "aws_appautoscaling_policy" "idle" {
  for_each = aws_appautoscaling_target.instances

  name               = "one-less-without-requests"
  policy_type        = "StepScaling"
  service_namespace  = each.value.service_namespace
  scalable_dimension = each.value.scalable_dimension
  resource_id        = each.value.resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = var.scale_in_cooldown_seconds

    step_adjustment {
      metric_interval_upper_bound = "0"
      scaling_adjustment          = -1
    }
  }

  # AWS deletes policies and scheduled actions together with their target.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances[each.key].id]
  }
}

# Requires all 15 minutes, so that a late metric removes no instance.
resource "aws_cloudwatch_metric_alarm" "idle" {
  for_each = aws_appautoscaling_policy.idle

  alarm_name          = "${aws_sagemaker_endpoint.this.name}-${each.key}-has-no-requests"
  alarm_description   = "No request of ${each.key} in 15 minutes: removes an instance."
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = 15
  datapoints_to_alarm = 15
  alarm_actions       = [each.value.arn]
  tags                = var.tags

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/SageMaker"
      metric_name = "Invocations"
      period      = 60
      stat        = "Sum"

      dimensions = {
        EndpointName = aws_sagemaker_endpoint.this.name
        VariantName  = each.key
      }
    }
  }

  metric_query {
    id          = "requests_or_none"
    expression  = "FILL(requests, 0)"
    return_data = true
  }
}

# Fewer instances in off hours.
resource "aws_appautoscaling_scheduled_action" "rest" {
  for_each = {
    for variant, target in aws_appautoscaling_target.instances : variant => target
    if !nonsensitive(var.off_hours == null)
  }

  name               = "rest-by-the-clock"
  service_namespace  = each.value.service_namespace
  scalable_dimension = each.value.scalable_dimension
  resource_id        = each.value.resource_id
  schedule           = var.off_hours.begin
  timezone           = var.off_hours.timezone

  scalable_target_action {
    min_capacity = var.off_hours.instances
    max_capacity = var.off_hours.instances
  }

  # AWS deletes policies and scheduled actions together with their target.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances[each.key].id]
  }
}

# The normal scaling limits after off hours.
resource "aws_appautoscaling_scheduled_action" "wake" {
  for_each = {
    for variant, target in aws_appautoscaling_target.instances : variant => target
    if !nonsensitive(var.off_hours == null)
  }

  name               = "wake-by-the-clock"
  service_namespace  = each.value.service_namespace
  scalable_dimension = each.value.scalable_dimension
  resource_id        = each.value.resource_id
  schedule           = var.off_hours.end
  timezone           = var.off_hours.timezone

  scalable_target_action {
    min_capacity = var.min_instances
    max_capacity = var.max_instances
  }

  # AWS deletes policies and scheduled actions together with their target.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.instances[each.key].id]
  }
}

locals {
  # Images and archives that the role must read. Model packages have their own.
  images = concat(
    var.image_uri[*],
    [for one in var.containers : one.image_uri if one.image_uri != null],
    [for one in var.challengers : one.image_uri if one.image_uri != null],
    [for one in var.shadow[*] : one.image_uri if one.image_uri != null],
  )

  model_archives = concat(
    var.model_data_url[*],
    [for one in var.containers : one.model_data_url if one.model_data_url != null],
    [for one in var.challengers : one.model_data_url if one.model_data_url != null],
    [for one in var.shadow[*] : one.model_data_url if one.model_data_url != null],
  )

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

  # Patterns of images that cannot run next to others on this silicon.
  images_not_beside = {
    graviton    = "amd64|x86|-gpu-|neuron|/sagemaker-(xgboost|scikit-learn):[0-9.-]+(cpu-py3)?$|-inference:[^/]*-cpu-py"
    inferentia2 = "-gpu-|aarch64|arm64|graviton"
    gpu         = "aarch64|arm64|graviton|neuron"
    x86         = "-gpu-|aarch64|arm64|graviton|neuron"
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

  # Patterns of expressions with a valid field, from the EventBridge user guide.
  cron = {
    minutes             = "(?i)^cron\\((\\S+ ){0}(((\\*|[0-5]?[0-9](-[0-5]?[0-9])?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){4}\\S+\\)$"
    hours               = "(?i)^cron\\((\\S+ ){1}(((\\*|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){3}\\S+\\)$"
    "days of the month" = "(?i)^cron\\((\\S+ ){2}(((\\*|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[1-9][0-9]*)?|\\?|LW|L(-(0?[1-9]|[12][0-9]|3[01]))?|(0?[1-9]|[12][0-9]|3[01])W)[, ])+(\\S+ ){2}\\S+\\)$"
    months              = "(?i)^cron\\((\\S+ ){3}(((\\*|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){1}\\S+\\)$"
    "days of the week"  = "(?i)^cron\\((\\S+ ){4}(((\\*|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(-([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT))?)(/[1-9][0-9]*)?|\\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#[1-5])[, ])+(\\S+ ){0}\\S+\\)$"
    years               = "(?i)^cron\\((\\S+ ){5}(((\\*|(19[7-9][0-9]|2[01][0-9]{2})(-(19[7-9][0-9]|2[01][0-9]{2}))?)(/[1-9][0-9]*)?)[,)])+$"
  }

  # Canonical names of the tz database, which Application Auto Scaling requires.
  canonical_time_zones = [
    "Africa/Abidjan", "Africa/Accra", "Africa/Addis_Ababa", "Africa/Algiers", "Africa/Asmara",
    "Africa/Bamako", "Africa/Bangui", "Africa/Banjul", "Africa/Bissau", "Africa/Blantyre",
    "Africa/Brazzaville", "Africa/Bujumbura", "Africa/Cairo", "Africa/Casablanca", "Africa/Ceuta",
    "Africa/Conakry", "Africa/Dakar", "Africa/Dar_es_Salaam", "Africa/Djibouti", "Africa/Douala",
    "Africa/El_Aaiun", "Africa/Freetown", "Africa/Gaborone", "Africa/Harare", "Africa/Johannesburg",
    "Africa/Juba", "Africa/Kampala", "Africa/Khartoum", "Africa/Kigali", "Africa/Kinshasa",
    "Africa/Lagos", "Africa/Libreville", "Africa/Lome", "Africa/Luanda", "Africa/Lubumbashi",
    "Africa/Lusaka", "Africa/Malabo", "Africa/Maputo", "Africa/Maseru", "Africa/Mbabane",
    "Africa/Mogadishu", "Africa/Monrovia", "Africa/Nairobi", "Africa/Ndjamena", "Africa/Niamey",
    "Africa/Nouakchott", "Africa/Ouagadougou", "Africa/Porto-Novo", "Africa/Sao_Tome", "Africa/Tripoli",
    "Africa/Tunis", "Africa/Windhoek", "America/Adak", "America/Anchorage", "America/Anguilla",
    "America/Antigua", "America/Araguaina", "America/Argentina/Buenos_Aires",
    "America/Argentina/Catamarca", "America/Argentina/Cordoba", "America/Argentina/Jujuy",
    "America/Argentina/La_Rioja", "America/Argentina/Mendoza", "America/Argentina/Rio_Gallegos",
    "America/Argentina/Salta", "America/Argentina/San_Juan", "America/Argentina/San_Luis",
    "America/Argentina/Tucuman", "America/Argentina/Ushuaia", "America/Aruba", "America/Asuncion",
    "America/Atikokan", "America/Bahia", "America/Bahia_Banderas", "America/Barbados", "America/Belem",
    "America/Belize", "America/Blanc-Sablon", "America/Boa_Vista", "America/Bogota", "America/Boise",
    "America/Cambridge_Bay", "America/Campo_Grande", "America/Cancun", "America/Caracas",
    "America/Cayenne", "America/Cayman", "America/Chicago", "America/Chihuahua",
    "America/Ciudad_Juarez", "America/Costa_Rica", "America/Coyhaique", "America/Creston",
    "America/Cuiaba", "America/Curacao", "America/Danmarkshavn", "America/Dawson",
    "America/Dawson_Creek", "America/Denver", "America/Detroit", "America/Dominica", "America/Edmonton",
    "America/Eirunepe", "America/El_Salvador", "America/Fort_Nelson", "America/Fortaleza",
    "America/Glace_Bay", "America/Goose_Bay", "America/Grand_Turk", "America/Grenada",
    "America/Guadeloupe", "America/Guatemala", "America/Guayaquil", "America/Guyana", "America/Halifax",
    "America/Havana", "America/Hermosillo", "America/Indiana/Indianapolis", "America/Indiana/Knox",
    "America/Indiana/Marengo", "America/Indiana/Petersburg", "America/Indiana/Tell_City",
    "America/Indiana/Vevay", "America/Indiana/Vincennes", "America/Indiana/Winamac", "America/Inuvik",
    "America/Iqaluit", "America/Jamaica", "America/Juneau", "America/Kentucky/Louisville",
    "America/Kentucky/Monticello", "America/Kralendijk", "America/La_Paz", "America/Lima",
    "America/Los_Angeles", "America/Lower_Princes", "America/Maceio", "America/Managua",
    "America/Manaus", "America/Marigot", "America/Martinique", "America/Matamoros", "America/Mazatlan",
    "America/Menominee", "America/Merida", "America/Metlakatla", "America/Mexico_City",
    "America/Miquelon", "America/Moncton", "America/Monterrey", "America/Montevideo",
    "America/Montserrat", "America/Nassau", "America/New_York", "America/Nome", "America/Noronha",
    "America/North_Dakota/Beulah", "America/North_Dakota/Center", "America/North_Dakota/New_Salem",
    "America/Nuuk", "America/Ojinaga", "America/Panama", "America/Paramaribo", "America/Phoenix",
    "America/Port-au-Prince", "America/Port_of_Spain", "America/Porto_Velho", "America/Puerto_Rico",
    "America/Punta_Arenas", "America/Rankin_Inlet", "America/Recife", "America/Regina",
    "America/Resolute", "America/Rio_Branco", "America/Santarem", "America/Santiago",
    "America/Santo_Domingo", "America/Sao_Paulo", "America/Scoresbysund", "America/Sitka",
    "America/St_Barthelemy", "America/St_Johns", "America/St_Kitts", "America/St_Lucia",
    "America/St_Thomas", "America/St_Vincent", "America/Swift_Current", "America/Tegucigalpa",
    "America/Thule", "America/Tijuana", "America/Toronto", "America/Tortola", "America/Vancouver",
    "America/Whitehorse", "America/Winnipeg", "America/Yakutat", "Antarctica/Casey", "Antarctica/Davis",
    "Antarctica/DumontDUrville", "Antarctica/Macquarie", "Antarctica/Mawson", "Antarctica/McMurdo",
    "Antarctica/Palmer", "Antarctica/Rothera", "Antarctica/Syowa", "Antarctica/Troll",
    "Antarctica/Vostok", "Arctic/Longyearbyen", "Asia/Aden", "Asia/Almaty", "Asia/Amman", "Asia/Anadyr",
    "Asia/Aqtau", "Asia/Aqtobe", "Asia/Ashgabat", "Asia/Atyrau", "Asia/Baghdad", "Asia/Bahrain",
    "Asia/Baku", "Asia/Bangkok", "Asia/Barnaul", "Asia/Beirut", "Asia/Bishkek", "Asia/Brunei",
    "Asia/Chita", "Asia/Colombo", "Asia/Damascus", "Asia/Dhaka", "Asia/Dili", "Asia/Dubai",
    "Asia/Dushanbe", "Asia/Famagusta", "Asia/Gaza", "Asia/Hebron", "Asia/Ho_Chi_Minh", "Asia/Hong_Kong",
    "Asia/Hovd", "Asia/Irkutsk", "Asia/Jakarta", "Asia/Jayapura", "Asia/Jerusalem", "Asia/Kabul",
    "Asia/Kamchatka", "Asia/Karachi", "Asia/Kathmandu", "Asia/Khandyga", "Asia/Kolkata",
    "Asia/Krasnoyarsk", "Asia/Kuala_Lumpur", "Asia/Kuching", "Asia/Kuwait", "Asia/Macau",
    "Asia/Magadan", "Asia/Makassar", "Asia/Manila", "Asia/Muscat", "Asia/Nicosia", "Asia/Novokuznetsk",
    "Asia/Novosibirsk", "Asia/Omsk", "Asia/Oral", "Asia/Phnom_Penh", "Asia/Pontianak", "Asia/Pyongyang",
    "Asia/Qatar", "Asia/Qostanay", "Asia/Qyzylorda", "Asia/Riyadh", "Asia/Sakhalin", "Asia/Samarkand",
    "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Srednekolymsk", "Asia/Taipei",
    "Asia/Tashkent", "Asia/Tbilisi", "Asia/Tehran", "Asia/Thimphu", "Asia/Tokyo", "Asia/Tomsk",
    "Asia/Ulaanbaatar", "Asia/Urumqi", "Asia/Ust-Nera", "Asia/Vientiane", "Asia/Vladivostok",
    "Asia/Yakutsk", "Asia/Yangon", "Asia/Yekaterinburg", "Asia/Yerevan", "Atlantic/Azores",
    "Atlantic/Bermuda", "Atlantic/Canary", "Atlantic/Cape_Verde", "Atlantic/Faroe", "Atlantic/Madeira",
    "Atlantic/Reykjavik", "Atlantic/South_Georgia", "Atlantic/St_Helena", "Atlantic/Stanley",
    "Australia/Adelaide", "Australia/Brisbane", "Australia/Broken_Hill", "Australia/Darwin",
    "Australia/Eucla", "Australia/Hobart", "Australia/Lindeman", "Australia/Lord_Howe",
    "Australia/Melbourne", "Australia/Perth", "Australia/Sydney", "Etc/GMT+1", "Etc/GMT+10",
    "Etc/GMT+11", "Etc/GMT+12", "Etc/GMT+2", "Etc/GMT+3", "Etc/GMT+4", "Etc/GMT+5", "Etc/GMT+6",
    "Etc/GMT+7", "Etc/GMT+8", "Etc/GMT+9", "Etc/GMT-1", "Etc/GMT-10", "Etc/GMT-11", "Etc/GMT-12",
    "Etc/GMT-13", "Etc/GMT-14", "Etc/GMT-2", "Etc/GMT-3", "Etc/GMT-4", "Etc/GMT-5", "Etc/GMT-6",
    "Etc/GMT-7", "Etc/GMT-8", "Etc/GMT-9", "Europe/Amsterdam", "Europe/Andorra", "Europe/Astrakhan",
    "Europe/Athens", "Europe/Belgrade", "Europe/Berlin", "Europe/Bratislava", "Europe/Brussels",
    "Europe/Bucharest", "Europe/Budapest", "Europe/Busingen", "Europe/Chisinau", "Europe/Copenhagen",
    "Europe/Dublin", "Europe/Gibraltar", "Europe/Guernsey", "Europe/Helsinki", "Europe/Isle_of_Man",
    "Europe/Istanbul", "Europe/Jersey", "Europe/Kaliningrad", "Europe/Kirov", "Europe/Kyiv",
    "Europe/Lisbon", "Europe/Ljubljana", "Europe/London", "Europe/Luxembourg", "Europe/Madrid",
    "Europe/Malta", "Europe/Mariehamn", "Europe/Minsk", "Europe/Monaco", "Europe/Moscow", "Europe/Oslo",
    "Europe/Paris", "Europe/Podgorica", "Europe/Prague", "Europe/Riga", "Europe/Rome", "Europe/Samara",
    "Europe/San_Marino", "Europe/Sarajevo", "Europe/Saratov", "Europe/Simferopol", "Europe/Skopje",
    "Europe/Sofia", "Europe/Stockholm", "Europe/Tallinn", "Europe/Tirane", "Europe/Ulyanovsk",
    "Europe/Vaduz", "Europe/Vatican", "Europe/Vienna", "Europe/Vilnius", "Europe/Volgograd",
    "Europe/Warsaw", "Europe/Zagreb", "Europe/Zurich", "Indian/Antananarivo", "Indian/Chagos",
    "Indian/Christmas", "Indian/Cocos", "Indian/Comoro", "Indian/Kerguelen", "Indian/Mahe",
    "Indian/Maldives", "Indian/Mauritius", "Indian/Mayotte", "Indian/Reunion", "Pacific/Apia",
    "Pacific/Auckland", "Pacific/Bougainville", "Pacific/Chatham", "Pacific/Chuuk", "Pacific/Easter",
    "Pacific/Efate", "Pacific/Fakaofo", "Pacific/Fiji", "Pacific/Funafuti", "Pacific/Galapagos",
    "Pacific/Gambier", "Pacific/Guadalcanal", "Pacific/Guam", "Pacific/Honolulu", "Pacific/Kanton",
    "Pacific/Kiritimati", "Pacific/Kosrae", "Pacific/Kwajalein", "Pacific/Majuro", "Pacific/Marquesas",
    "Pacific/Midway", "Pacific/Nauru", "Pacific/Niue", "Pacific/Norfolk", "Pacific/Noumea",
    "Pacific/Pago_Pago", "Pacific/Palau", "Pacific/Pitcairn", "Pacific/Pohnpei", "Pacific/Port_Moresby",
    "Pacific/Rarotonga", "Pacific/Saipan", "Pacific/Tahiti", "Pacific/Tarawa", "Pacific/Tongatapu",
    "Pacific/Wake", "Pacific/Wallis", "UTC",
  ]
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
