# Generated from module.py by smlops synth: change that, then run it again.

locals {
  # A name of its own may be longer than a prefix.
  name = var.name == null ? var.name_prefix : var.name
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
  # checkov:skip=CKV_AWS_370:a serverless endpoint refuses a model with network isolation

  execution_role_arn = var.role_arn
  tags               = var.tags

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
  name_prefix = "${substr(local.name, 0, 36)}-"
  kms_key_arn = var.kms_key_arn
  tags        = var.tags

  production_variants {
    variant_name = "main"
    model_name   = aws_sagemaker_model.this.name

    serverless_config {
      memory_size_in_mb       = var.memory_mb
      max_concurrency         = var.max_concurrency
      provisioned_concurrency = one([for warm in var.provisioned_concurrency[*] : warm.min])
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = local.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = var.tags

  # After an update that failed or was rolled back the endpoint is in service with its old configuration. The
  # provider takes that for success and then deletes the configuration, which is in use; here the apply ends
  # before that.
  lifecycle {
    postcondition {
      condition     = self.endpoint_config_name == aws_sagemaker_endpoint_configuration.this.name
      error_message = "The endpoint ${self.name} has gone back to its old configuration and serves the old model: the new one did not start, or a rollback alarm went off. Nothing is lost. See the alarms and the log group /aws/sagemaker/Endpoints/${local.name}, then apply again with a model that works."
    }
  }

  depends_on = [aws_cloudwatch_log_group.this]
}

# Warm workers are billed while they wait, so never without autoscaling.
resource "aws_appautoscaling_target" "provisioned_concurrency" {
  for_each = var.provisioned_concurrency == null ? {} : { main = var.provisioned_concurrency }

  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredProvisionedConcurrency"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/${each.key}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
  tags               = var.tags

  # AWS takes the target away with its endpoint, also where another of its name follows.
  lifecycle {
    replace_triggered_by = [aws_sagemaker_endpoint.this.id]
  }
}

resource "aws_appautoscaling_policy" "provisioned_concurrency" {
  for_each = aws_appautoscaling_target.provisioned_concurrency

  name               = "provisioned-concurrency-utilization"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = each.value.service_namespace
  scalable_dimension = each.value.scalable_dimension
  resource_id        = each.value.resource_id

  target_tracking_scaling_policy_configuration {
    target_value = var.provisioned_concurrency.target_utilization

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantProvisionedConcurrencyUtilization"
    }
  }

  # AWS deletes what moves a target with it.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.provisioned_concurrency[each.key].id]
  }
}

locals {
  # Where the endpoint is.
  place = {
    account_id = split(":", var.role_arn)[4]
    region     = split(":", var.kms_key_arn)[3]
    partition  = split(":", var.role_arn)[1]
  }
}
