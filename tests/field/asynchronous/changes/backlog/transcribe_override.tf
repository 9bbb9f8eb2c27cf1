# "It never scaled": now it scales with its backlog and starts at the first request.
resource "aws_appautoscaling_policy" "invocations" {
  name = "${local.name}-backlog"

  target_tracking_scaling_policy_configuration {
    target_value       = 5
    scale_in_cooldown  = 600
    scale_out_cooldown = 300

    customized_metric_specification {
      metric_name = "ApproximateBacklogSizePerInstance"
      namespace   = "AWS/SageMaker"
      statistic   = "Average"

      dimensions {
        name  = "EndpointName"
        value = aws_sagemaker_endpoint.whisper.name
      }
    }
  }
}
