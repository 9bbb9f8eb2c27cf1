# A state like that of aws-ia/terraform-aws-sagemaker-endpoint 0.0.1 with autoscaling_config: the same addresses,
# except solution_suffix, which is a random_string there. The role has a name_prefix there.
resource "terraform_data" "solution_suffix" {
  input = "x7k2"
}

resource "aws_iam_role" "sg_endpoint_role" {
  count = 1

  name = "SGTFendpoint-role"

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
}

resource "aws_iam_role_policy_attachment" "sg_policy_attachment" {
  count = 1

  role       = aws_iam_role.sg_endpoint_role[0].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_sagemaker_model" "sagemaker_model" {
  name               = "SGTFendpoint-model-${terraform_data.solution_suffix.output}"
  execution_role_arn = aws_iam_role.sg_endpoint_role[0].arn

  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/ranking:1"
    model_data_url = "s3://sagemaker-ranking-models/model.tar.gz"
    mode           = "SingleModel"
  }

  depends_on = [aws_iam_role_policy_attachment.sg_policy_attachment] # AWS needs longer for a model
}

resource "aws_sagemaker_endpoint_configuration" "sagemaker_endpoint_config" {
  name = "SGTFendpoint-config-${terraform_data.solution_suffix.output}"

  production_variants {
    variant_name                           = "AllTraffic"
    model_name                             = aws_sagemaker_model.sagemaker_model.name
    instance_type                          = "ml.m5.large"
    initial_instance_count                 = 1
    initial_variant_weight                 = 1
    volume_size_in_gb                      = 30
    model_data_download_timeout_in_seconds = 900
  }
}

resource "aws_sagemaker_endpoint" "sagemaker_endpoint" {
  name                 = "SGendpoint"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.sagemaker_endpoint_config.name
}

resource "aws_appautoscaling_target" "sagemaker_target" {
  count = 1

  min_capacity       = 1
  max_capacity       = 2
  resource_id        = "endpoint/${aws_sagemaker_endpoint.sagemaker_endpoint.name}/variant/AllTraffic"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  service_namespace  = "sagemaker"
}

resource "aws_appautoscaling_policy" "sagemaker_policy" {
  count = 1

  name               = "SageMakerEndpointInvocationScalingPolicy"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.sagemaker_target[0].resource_id
  scalable_dimension = aws_appautoscaling_target.sagemaker_target[0].scalable_dimension
  service_namespace  = aws_appautoscaling_target.sagemaker_target[0].service_namespace

  target_tracking_scaling_policy_configuration {
    target_value = 100

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}
