# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
