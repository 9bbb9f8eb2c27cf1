# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # The name may be longer than name_prefix.
  name = var.name == null ? var.name_prefix : var.name
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

# An endpoint is updated only by a new configuration name, hence the name prefix and create_before_destroy.
resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "${substr(local.name, 0, 36)}-"
  kms_key_arn = var.kms_key_arn
  tags        = var.tags

  production_variants {
    variant_name = var.variant_name
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

  # After a failed or rolled-back update, the endpoint is in service with its old configuration. The provider
  # reports success and then deletes that configuration, which is in use. The postcondition ends the apply before
  # that.
  lifecycle {
    postcondition {
      condition     = self.endpoint_config_name == aws_sagemaker_endpoint_configuration.this.name
      error_message = "The endpoint ${self.name} was rolled back and serves the old model: the new model did not start, or a rollback alarm went off. Nothing is lost. Check the alarms and the log group /aws/sagemaker/Endpoints/${local.name}, then apply again with a model that works."
    }
  }

  depends_on = [aws_cloudwatch_log_group.this]
}

# Idle warm workers are billed, so they always have autoscaling.
resource "aws_appautoscaling_target" "provisioned_concurrency" {
  for_each = nonsensitive(var.provisioned_concurrency == null) ? {} : { main = var.provisioned_concurrency }

  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredProvisionedConcurrency"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/${var.variant_name}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
  tags               = var.tags

  # AWS deletes the target with its endpoint, even if an endpoint with the same name follows.
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

  # AWS deletes policies and scheduled actions together with their target.
  lifecycle {
    replace_triggered_by = [aws_appautoscaling_target.provisioned_concurrency[each.key].id]
  }
}

locals {
  # Account, Region and partition of the endpoint.
  location = {
    account_id = coalesce(var.account_id, split(":", var.kms_key_arn)[4])
    region     = coalesce(var.region, split(":", var.kms_key_arn)[3])
    partition  = var.region == null ? split(":", var.kms_key_arn)[1] : (can(regex("^us-gov-", var.region)) ? "aws-us-gov" : (can(regex("^cn-", var.region)) ? "aws-cn" : "aws"))
  }
}
