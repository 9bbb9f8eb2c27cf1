# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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
