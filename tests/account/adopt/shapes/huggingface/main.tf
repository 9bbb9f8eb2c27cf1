# A state like that of philschmid/terraform-aws-sagemaker-huggingface 0.9.0: the same addresses, except resource_id, which
# is a random_string there. serverless_config or async_config selects the kind there.
variable "kind" {
  type = string
}

resource "terraform_data" "resource_id" {
  input = "kqzmvbnt"
}

resource "aws_iam_role" "new_role" {
  count = 1

  name = "sentiment-sagemaker-execution-role-${terraform_data.resource_id.output}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })

  inline_policy {
    name = "terraform-inferences-policy"

    policy = jsonencode({
      Version = "2012-10-17"
      Statement = [
        {
          Effect   = "Allow"
          Resource = "*"
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
        },
      ]
    })
  }
}

resource "aws_sagemaker_model" "model_with_model_artifact" {
  count = 1

  name               = "sentiment-model-${terraform_data.resource_id.output}"
  execution_role_arn = aws_iam_role.new_role[0].arn

  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/sentiment:1"
    model_data_url = "s3://sentiment-models/model.tar.gz"

    environment = {
      HF_TASK = "text-classification"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "huggingface" {
  count = var.kind == "realtime" ? 1 : 0

  name = "sentiment-ep-config-${terraform_data.resource_id.output}"

  production_variants {
    variant_name           = "AllTraffic"
    model_name             = aws_sagemaker_model.model_with_model_artifact[0].name
    initial_instance_count = 1
    instance_type          = "ml.m5.large"
  }
}

resource "aws_sagemaker_endpoint_configuration" "huggingface_async" {
  count = var.kind == "asynchronous" ? 1 : 0

  name = "sentiment-ep-config-${terraform_data.resource_id.output}"

  production_variants {
    variant_name           = "AllTraffic"
    model_name             = aws_sagemaker_model.model_with_model_artifact[0].name
    initial_instance_count = 1
    instance_type          = "ml.m5.large"
  }

  async_inference_config {
    output_config {
      s3_output_path = "s3://sentiment-models/results"
    }
  }
}

resource "aws_sagemaker_endpoint_configuration" "huggingface_serverless" {
  count = var.kind == "serverless" ? 1 : 0

  name = "sentiment-ep-config-${terraform_data.resource_id.output}"

  production_variants {
    variant_name = "AllTraffic"
    model_name   = aws_sagemaker_model.model_with_model_artifact[0].name

    serverless_config {
      max_concurrency   = 4
      memory_size_in_mb = 2048
    }
  }
}

resource "aws_sagemaker_endpoint" "huggingface" {
  name = "sentiment-ep-${terraform_data.resource_id.output}"

  endpoint_config_name = one(concat(
    aws_sagemaker_endpoint_configuration.huggingface,
    aws_sagemaker_endpoint_configuration.huggingface_async,
    aws_sagemaker_endpoint_configuration.huggingface_serverless,
  )).name
}

resource "aws_appautoscaling_target" "sagemaker_target" {
  count = var.kind == "serverless" ? 0 : 1

  min_capacity       = 1
  max_capacity       = 2
  resource_id        = "endpoint/${aws_sagemaker_endpoint.huggingface.name}/variant/AllTraffic"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  service_namespace  = "sagemaker"
}

resource "aws_appautoscaling_policy" "sagemaker_policy" {
  count = var.kind == "serverless" ? 0 : 1

  name               = "sentiment-scaling-target-${terraform_data.resource_id.output}"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.sagemaker_target[0].resource_id
  scalable_dimension = aws_appautoscaling_target.sagemaker_target[0].scalable_dimension
  service_namespace  = aws_appautoscaling_target.sagemaker_target[0].service_namespace

  target_tracking_scaling_policy_configuration {
    target_value       = 100
    scale_in_cooldown  = 300
    scale_out_cooldown = 66

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}
