data "aws_region" "current" {}

locals {
  is_gpu    = can(regex("^ml\\.(g|p)", var.instance_type))
  device    = local.is_gpu ? "gpu-py310-cu118-ubuntu20.04" : "cpu-py310-ubuntu22.04"
  image_tag = "${var.pytorch_version}-transformers${var.transformers_version}-${local.device}"
  registry  = "763104351884.dkr.ecr.${data.aws_region.current.name}.amazonaws.com"
  role_arn  = var.sagemaker_execution_role != null ? var.sagemaker_execution_role : aws_iam_role.this[0].arn
  autoscale = var.autoscaling.max_capacity != null
}

resource "aws_iam_role" "this" {
  count = var.sagemaker_execution_role == null ? 1 : 0

  name = "${var.name_prefix}-sagemaker-execution-role"
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })

  inline_policy {
    name = "sagemaker-inference"
    policy = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect = "Allow"
        Action = [
          "cloudwatch:PutMetricData",
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:GetAuthorizationToken",
          "ecr:GetDownloadUrlForLayer",
          "logs:CreateLogGroup",
          "logs:CreateLogStream",
          "logs:DescribeLogStreams",
          "logs:PutLogEvents",
          "s3:GetObject",
          "s3:ListBucket",
          "s3:PutObject",
        ]
        Resource = "*"
      }]
    })
  }
}

resource "aws_sagemaker_model" "this" {
  name               = "${var.name_prefix}-model"
  execution_role_arn = local.role_arn
  tags               = var.tags

  primary_container {
    image          = "${local.registry}/huggingface-pytorch-inference:${local.image_tag}"
    model_data_url = var.model_data
    environment = {
      HF_TASK     = var.hf_task
      HF_MODEL_ID = var.hf_model_id
    }
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name = "${var.name_prefix}-endpoint-config"
  tags = var.tags

  production_variants {
    variant_name           = "AllTraffic"
    model_name             = aws_sagemaker_model.this.name
    initial_instance_count = var.instance_count
    instance_type          = var.instance_type
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = "${var.name_prefix}-endpoint"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = var.tags
}

resource "aws_appautoscaling_target" "this" {
  count = local.autoscale ? 1 : 0

  min_capacity       = var.autoscaling.min_capacity
  max_capacity       = var.autoscaling.max_capacity
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/AllTraffic"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  service_namespace  = "sagemaker"
}

resource "aws_appautoscaling_policy" "this" {
  count = local.autoscale ? 1 : 0

  name               = "${var.name_prefix}-scaling-target"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.this[0].resource_id
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace

  target_tracking_scaling_policy_configuration {
    target_value       = var.autoscaling.scaling_target_invocations
    scale_in_cooldown  = var.autoscaling.scale_in_cooldown
    scale_out_cooldown = var.autoscaling.scale_out_cooldown

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}
