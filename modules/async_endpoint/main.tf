# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # Folder of requests, responses and failures.
  folder = "${var.s3_uri}/${local.name}"
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

locals {
  # Families with a local disk, which encrypts itself.
  local_disk = [
    "c5d", "c6gd", "g4dn", "g5", "g6", "g6e", "g7", "g7e", "m5d", "m6gd", "p4d", "p4de", "p5", "p5e",
    "p5en", "p6-b200", "p6-b300", "r5d", "r6gd", "r7gd",
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
