# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
