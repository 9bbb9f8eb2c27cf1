# Generated from settings.yaml, ../catalogue and ../components by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region              = "eu-north-1"
  allowed_account_ids = ["345678901234"]

  default_tags {
    tags = {
      environment = "prod"
      workload    = "flight_delay"
      owner       = "ml-platform"
      data_class  = "public"
      expires_on  = "never"
    }
  }
}

module "storage" {
  source = "../../modules/storage"

  name_prefix         = "smlops-prod"
  account_id          = "345678901234"
  region              = "eu-north-1"
  deletion_protection = true
}

module "access" {
  source = "../../modules/access"

  name_prefix               = "smlops-prod"
  account_id                = "345678901234"
  region                    = "eu-north-1"
  buckets                   = module.storage.buckets
  kms_key_arn               = module.storage.kms_key_arn
  feature_group_names       = ["smlops-prod-flights"]
  model_package_group_names = ["smlops-prod-flight-delay"]

  role_statements = [
    {
      inference = [
        {
          sid       = "ReadModelsOfRegistries"
          actions   = ["s3:GetObject"]
          resources = ["arn:aws:s3:::smlops-dev-artifacts-123456789012-eu-north-1/models/*"]
          condition = []
        },
        {
          sid       = "ListModelsOfRegistries"
          actions   = ["s3:ListBucket"]
          resources = ["arn:aws:s3:::smlops-dev-artifacts-123456789012-eu-north-1"]
          condition = [
            {
              test     = "StringLike"
              variable = "s3:prefix"
              values   = ["models/*"]
            },
          ]
        },
      ]
    },
  ]
}

module "feature_store" {
  source = "../../modules/feature_store"

  name_prefix          = "smlops-prod"
  account_id           = "345678901234"
  region               = "eu-north-1"
  deletion_protection  = true
  kms_key_arn          = module.storage.kms_key_arn
  offline_store_s3_uri = "s3://${module.storage.buckets["data"].name}/feature-store"
  role_arn             = module.access.role_arns["data_preparation"]

  feature_groups = {
    flights = {
      record_identifier = "flight_id"
      event_time        = "event_time"
      features = {
        arrival_minute = {
          type = "Integral"
        }
        carrier = {
          type = "String"
        }
        carrier_late_rate = {
          type = "Fractional"
        }
        day_of_week = {
          type = "Integral"
        }
        departure_minute = {
          type = "Integral"
        }
        departures_same_hour = {
          type = "Integral"
        }
        destination = {
          type = "String"
        }
        dew_point_f = {
          type = "Fractional"
        }
        distance_miles = {
          type = "Integral"
        }
        event_time = {
          type = "String"
        }
        flight_id = {
          type = "String"
        }
        flight_late_rate = {
          type = "Fractional"
        }
        humidity_percent = {
          type = "Fractional"
        }
        origin = {
          type = "String"
        }
        precipitation_inches = {
          type = "Fractional"
        }
        pressure_millibars = {
          type = "Fractional"
        }
        temperature_f = {
          type = "Fractional"
        }
        visibility_miles = {
          type = "Fractional"
        }
        wind_direction_degrees = {
          type = "Fractional"
        }
        wind_gust_mph = {
          type = "Fractional"
        }
        wind_speed_mph = {
          type = "Fractional"
        }
      }
      description = "Scheduled flights as known one hour before departure, with the weather then."
    }
  }
}

# Data for writers and readers of the group. DescribeFeatureGroup returns its features.
resource "aws_ssm_parameter" "feature_groups" {
  # checkov:skip=CKV2_AWS_34:names and ARNs, no secret

  for_each = module.feature_store.feature_groups

  name        = "/sustainable-mlops/prod/feature_groups/${each.key}"
  description = "Name, ARN and offline store of a feature group."
  type        = "String"

  value = jsonencode({
    name           = each.value.name
    arn            = each.value.arn
    offline_s3_uri = each.value.offline_s3_uri
    online         = each.value.online
  })
}

module "model_registry" {
  source = "../../modules/model_registry"

  name_prefix         = "smlops-prod"
  account_id          = "345678901234"
  region              = "eu-north-1"
  deletion_protection = true

  model_package_groups = {
    flight_delay = {
      description = "Will a flight arrive 15 minutes late or more?"
    }
  }
}

locals {
  serverless_endpoints = {
    flight_delay = {
      name            = "smlops-prod-flight-delay"
      max_concurrency = 5
      memory_mb       = 2048
      tags = {
        latency_slo = "cold_start"
      }
    }
  }
}

# An endpoint needs a model, so it is created with the first approved package.
module "serverless_endpoint" {
  for_each = {
    for name, endpoint in local.serverless_endpoints : name => endpoint
    if contains(keys(var.model_packages), name)
  }
  source = "../../modules/serverless_endpoint"

  name_prefix        = "smlops-prod"
  kms_key_arn        = module.storage.kms_key_arn
  account_id         = "345678901234"
  region             = "eu-north-1"
  model_package_arn  = var.model_packages[each.key]
  name               = each.value.name
  max_concurrency    = each.value.max_concurrency
  memory_mb          = each.value.memory_mb
  tags               = each.value.tags
  log_retention_days = 90
  role_arn           = module.access.role_arns["inference"]
}

check "model_packages_are_of_known_models" {
  assert {
    condition     = length(setsubtract(keys(var.model_packages), keys(local.serverless_endpoints))) == 0
    error_message = "model_packages contains ${join(", ", setsubtract(keys(var.model_packages), keys(local.serverless_endpoints)))}, but settings.yaml and the catalogue declare no endpoint for these models."
  }
}

module "pipeline_flight_delay" {
  source = "../../modules/pipeline"

  name_prefix = "smlops-prod"
  account_id  = "345678901234"
  region      = "eu-north-1"
  description = "Prepares, trains, evaluates and, where it is good enough, registers a model for approval."
  name        = "flight-delay"
  definition  = file("${path.module}/../../workloads/flight_delay/pipeline.json")
  role_arn    = module.access.role_arns["pipeline"]

  data_arrival = {
    bucket       = module.storage.buckets["data"].name
    key_prefix   = "raw/flight_delay/"
    key_suffixes = ["/"]
  }

  parameters = {
    ArtifactsBucket        = module.storage.buckets["artifacts"].name
    DataBucket             = module.storage.buckets["data"].name
    DataPreparationRoleArn = module.access.role_arns["data_preparation"]
    Environment            = "prod"
    InferenceImage         = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    InferenceImageGraviton = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.0-1-arm64-cpu-py3"
    KmsKeyArn              = module.storage.kms_key_arn
    ModelPackageGroupName  = module.model_registry.model_package_groups["flight_delay"].name
    ProcessingImage        = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    TrainingImage          = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    TrainingRoleArn        = module.access.role_arns["training"]
  }

  failure_topic = {
    kms_key_arn = module.storage.kms_key_arn
  }
}

locals {
  # All declared endpoints, also without a package.
  monitored_endpoints = {
    flight_delay_serverless = {
      model                   = "flight_delay"
      name                    = "smlops-prod-flight-delay"
      kind                    = "serverless"
      memory_mb               = 2048
      provisioned_concurrency = 0
    }
  }
}

module "observability" {
  source = "../../modules/observability"

  name_prefix        = "smlops-prod"
  account_id         = "345678901234"
  region             = "eu-north-1"
  kms_key_arn        = module.storage.kms_key_arn
  log_retention_days = 90
  event_scope        = "name_prefix"

  endpoints = {
    for key, endpoint in local.monitored_endpoints : key => endpoint
    if contains(keys(var.model_packages), endpoint.model)
  }

  events = [
    "deployments", "endpoints", "model_packages", "processing_jobs", "rollbacks", "training_jobs",
    "transform_jobs", "tuning_jobs",
  ]

  dead_letter_queues = concat(
    module.model_registry.dead_letter_queue_names,
    module.pipeline_flight_delay.dead_letter_queue_names,
  )
}

locals {
  # Data for launchers.
  platform = {
    environment          = "prod"
    region               = "eu-north-1"
    account_id           = "345678901234"
    name_prefix          = "smlops-prod"
    warm_pools           = false
    buckets              = { for purpose, bucket in module.storage.buckets : purpose => bucket.name }
    kms_key_arn          = module.storage.kms_key_arn
    roles                = module.access.role_arns
    model_package_groups = { for key, group in module.model_registry.model_package_groups : key => group.name }
    pipelines = {
      flight_delay = module.pipeline_flight_delay.name
    }
    tags = {
      environment = "prod"
      workload    = "flight_delay"
      owner       = "ml-platform"
      data_class  = "public"
      expires_on  = "never"
    }
  }
}

# Launchers read this parameter, so they need neither Terraform nor its state.
resource "aws_ssm_parameter" "platform" {
  # checkov:skip=CKV2_AWS_34:names and ARNs, no secret

  name        = "/sustainable-mlops/prod/platform"
  description = "Names and ARNs that launchers of jobs need."
  type        = "String"
  tier        = "Intelligent-Tiering"
  value       = jsonencode(local.platform)
}

moved {
  from = aws_cloudwatch_log_group.jobs["ProcessingJobs"]
  to   = module.observability.aws_cloudwatch_log_group.this["/aws/sagemaker/ProcessingJobs"]
}

moved {
  from = aws_cloudwatch_log_group.jobs["TrainingJobs"]
  to   = module.observability.aws_cloudwatch_log_group.this["/aws/sagemaker/TrainingJobs"]
}

moved {
  from = aws_cloudwatch_log_group.jobs["TransformJobs"]
  to   = module.observability.aws_cloudwatch_log_group.this["/aws/sagemaker/TransformJobs"]
}
