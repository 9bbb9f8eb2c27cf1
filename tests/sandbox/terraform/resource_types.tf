# Configurations of every aws_sagemaker_* type, with the features that the provider's acceptance tests use.
# aws_sagemaker_image is missing: the provider waits a minute before its first request.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "eu-north-1"
}

variable "name" {
  type = string
}

variable "image" {
  type = string
}

variable "bucket" {
  type        = string
  description = "Bucket with model.tar.gz and model/."
}

variable "kms_key_arn" {
  type = string
}

variable "network" {
  type = object({ vpc = string, subnet = string, security_group = string })
}

locals {
  trust = {
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["sagemaker.amazonaws.com"] } }
    ]
  }
}

data "aws_iam_policy" "managed" {
  name = "AmazonSageMakerFullAccess"
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = data.aws_iam_policy.managed.arn
}

resource "aws_iam_role_policy" "this" {
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "kms:GenerateDataKey", Resource = var.kms_key_arn }]
  })
}

# studio
resource "aws_sagemaker_domain" "this" {
  domain_name = var.name
  auth_mode   = "IAM"
  vpc_id      = var.network.vpc
  subnet_ids  = [var.network.subnet]
  kms_key_id  = var.kms_key_arn
  default_user_settings {
    execution_role  = aws_iam_role.this.arn
    security_groups = [var.network.security_group]
  }
  retention_policy {
    home_efs_file_system = "Delete"
  }
  tags = { team = "a" }
}

resource "aws_sagemaker_user_profile" "this" {
  domain_id         = aws_sagemaker_domain.this.id
  user_profile_name = var.name
}

resource "aws_sagemaker_space" "this" {
  domain_id  = aws_sagemaker_domain.this.id
  space_name = var.name
}

resource "aws_sagemaker_app" "this" {
  domain_id         = aws_sagemaker_domain.this.id
  user_profile_name = aws_sagemaker_user_profile.this.user_profile_name
  app_name          = "default"
  app_type          = "JupyterServer"
}

resource "aws_sagemaker_app_image_config" "this" {
  app_image_config_name = var.name
  kernel_gateway_image_config {
    kernel_spec {
      name = "python3"
    }
  }
}

resource "aws_sagemaker_studio_lifecycle_config" "this" {
  studio_lifecycle_config_name     = var.name
  studio_lifecycle_config_app_type = "JupyterServer"
  studio_lifecycle_config_content  = base64encode("echo Hello")
}

resource "aws_sagemaker_image_version" "this" {
  image_name = var.name
  base_image = var.image
}

resource "aws_sagemaker_code_repository" "this" {
  code_repository_name = var.name
  git_config {
    repository_url = "https://github.com/hashicorp/terraform-provider-aws.git"
  }
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name      = var.name
  on_create = base64encode("echo create")
  on_start  = base64encode("echo start")
  tags      = { team = "a" }
}

resource "aws_sagemaker_notebook_instance" "this" {
  name                   = var.name
  role_arn               = aws_iam_role.this.arn
  instance_type          = "ml.t3.medium"
  platform_identifier    = "notebook-al2-v3"
  lifecycle_config_name  = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
  volume_size            = 8
  root_access            = "Disabled"
  kms_key_id             = var.kms_key_arn
  subnet_id              = var.network.subnet
  security_groups        = [var.network.security_group]
  direct_internet_access = "Disabled"
  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = "2"
  }
  tags = { team = "a" }
}

# monitoring
resource "aws_sagemaker_data_quality_job_definition" "endpoint" {
  name     = "${var.name}-endpoint"
  role_arn = aws_iam_role.this.arn
  data_quality_app_specification {
    image_uri   = var.image
    environment = { foo = "bar" }
  }
  data_quality_job_input {
    endpoint_input {
      endpoint_name             = var.name
      s3_data_distribution_type = "ShardedByS3Key"
    }
  }
  data_quality_job_output_config {
    kms_key_id = var.kms_key_arn
    monitoring_outputs {
      s3_output {
        s3_uri         = "s3://${var.bucket}/output"
        s3_upload_mode = "Continuous"
      }
    }
  }
  job_resources {
    cluster_config {
      instance_count    = 1
      instance_type     = "ml.t3.medium"
      volume_size_in_gb = 20
      volume_kms_key_id = var.kms_key_arn
    }
  }
  network_config {
    enable_network_isolation = true
    vpc_config {
      security_group_ids = [var.network.security_group]
      subnets            = [var.network.subnet]
    }
  }
  stopping_condition {
    max_runtime_in_seconds = 600
  }
  tags = { team = "a" }
}

resource "aws_sagemaker_data_quality_job_definition" "batch" {
  name     = "${var.name}-batch"
  role_arn = aws_iam_role.this.arn
  data_quality_app_specification {
    image_uri = var.image
  }
  data_quality_baseline_config {
    constraints_resource {
      s3_uri = "s3://${var.bucket}/constraints"
    }
    statistics_resource {
      s3_uri = "s3://${var.bucket}/statistics"
    }
  }
  data_quality_job_input {
    batch_transform_input {
      data_captured_destination_s3_uri = "s3://${var.bucket}/captured"
      dataset_format {
        json {
          line = true
        }
      }
    }
  }
  data_quality_job_output_config {
    monitoring_outputs {
      s3_output {
        s3_uri = "s3://${var.bucket}/output"
      }
    }
  }
  job_resources {
    cluster_config {
      instance_count    = 1
      instance_type     = "ml.t3.medium"
      volume_size_in_gb = 20
    }
  }
}

resource "aws_sagemaker_monitoring_schedule" "this" {
  name = var.name
  monitoring_schedule_config {
    monitoring_job_definition_name = "${var.name}-batch"
    monitoring_type                = "DataQuality"
    schedule_config {
      schedule_expression = "cron(0 * ? * * *)"
    }
  }
}

# hosting
resource "aws_sagemaker_model" "this" {
  name               = var.name
  execution_role_arn = aws_iam_role.this.arn
  primary_container {
    image          = var.image
    model_data_url = "s3://${var.bucket}/model.tar.gz"
    environment    = { test = "foo" }
  }
  vpc_config {
    subnets            = [var.network.subnet]
    security_group_ids = [var.network.security_group]
  }
  tags = { team = "a" }
}

resource "aws_sagemaker_model" "uncompressed" {
  name                     = "${var.name}-uncompressed"
  execution_role_arn       = aws_iam_role.this.arn
  enable_network_isolation = true
  primary_container {
    image = var.image
    model_data_source {
      s3_data_source {
        s3_data_type     = "S3Prefix"
        s3_uri           = "s3://${var.bucket}/model/"
        compression_type = "None"
      }
    }
  }
}

resource "aws_sagemaker_model" "plain" {
  name               = "${var.name}-plain"
  execution_role_arn = aws_iam_role.this.arn
  primary_container {
    image = var.image
  }
}

resource "aws_sagemaker_model" "containers" {
  name               = "${var.name}-containers"
  execution_role_arn = aws_iam_role.this.arn
  inference_execution_config {
    mode = "Direct"
  }
  container {
    image              = var.image
    container_hostname = "one"
  }
  container {
    image              = var.image
    container_hostname = "two"
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name        = var.name
  kms_key_arn = var.kms_key_arn
  production_variants {
    variant_name                                      = "one"
    model_name                                        = aws_sagemaker_model.this.name
    initial_instance_count                            = 1
    instance_type                                     = "ml.m5.large"
    initial_variant_weight                            = 1
    model_data_download_timeout_in_seconds            = 60
    container_startup_health_check_timeout_in_seconds = 60
    core_dump_config {
      destination_s3_uri = "s3://${var.bucket}/dumps"
      kms_key_id         = var.kms_key_arn
    }
    routing_config {
      routing_strategy = "LEAST_OUTSTANDING_REQUESTS"
    }
    managed_instance_scaling {
      status             = "ENABLED"
      min_instance_count = 1
      max_instance_count = 2
    }
  }
  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 50
    destination_s3_uri          = "s3://${var.bucket}/captured"
    kms_key_id                  = var.kms_key_arn
    capture_options {
      capture_mode = "Input"
    }
    capture_options {
      capture_mode = "Output"
    }
    capture_content_type_header {
      json_content_types = ["application/json"]
      csv_content_types  = ["text/csv"]
    }
  }
  tags = { team = "a" }
}

resource "aws_sagemaker_endpoint_configuration" "async" {
  name_prefix = "${var.name}-"
  production_variants {
    model_name             = aws_sagemaker_model.this.name
    initial_instance_count = 1
    instance_type          = "ml.m5.large"
  }
  async_inference_config {
    client_config {
      max_concurrent_invocations_per_instance = 1
    }
    output_config {
      s3_output_path  = "s3://${var.bucket}/async"
      s3_failure_path = "s3://${var.bucket}/failed"
      kms_key_id      = var.kms_key_arn
    }
  }
}

resource "aws_sagemaker_endpoint_configuration" "plain" {
  name = "${var.name}-plain"
  production_variants {
    variant_name           = "one"
    model_name             = aws_sagemaker_model.this.name
    initial_instance_count = 1
    instance_type          = "ml.m5.large"
    initial_variant_weight = 1
  }
}

resource "aws_sagemaker_endpoint_configuration" "serverless" {
  name = "${var.name}-serverless"
  production_variants {
    model_name = aws_sagemaker_model.plain.name
    serverless_config {
      max_concurrency         = 2
      memory_size_in_mb       = 1024
      provisioned_concurrency = 1
    }
  }
}

resource "aws_cloudwatch_log_group" "endpoint" {
  name = "/aws/sagemaker/Endpoints/${var.name}"
}

resource "aws_sagemaker_endpoint" "this" {
  depends_on           = [aws_cloudwatch_log_group.endpoint]
  name                 = var.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  deployment_config {
    blue_green_update_policy {
      maximum_execution_timeout_in_seconds = 1800
      traffic_routing_configuration {
        type                     = "ALL_AT_ONCE"
        wait_interval_in_seconds = 0
      }
    }
  }
  tags = { team = "a" }
}

# edge and people
resource "aws_sagemaker_device_fleet" "this" {
  device_fleet_name = var.name
  role_arn          = aws_iam_role.this.arn
  output_config {
    s3_output_location = "s3://${var.bucket}/devices/"
  }
}

resource "aws_sagemaker_device" "this" {
  device_fleet_name = var.name
  device {
    device_name = var.name
  }
}

resource "aws_sagemaker_human_task_ui" "this" {
  human_task_ui_name = var.name
  ui_template {
    content = "<html></html>"
  }
}

resource "aws_sagemaker_flow_definition" "this" {
  flow_definition_name = var.name
  role_arn             = aws_iam_role.this.arn
  human_loop_config {
    human_task_ui_arn                     = "arn:aws:sagemaker:eu-north-1:123456789012:human-task-ui/this"
    task_availability_lifetime_in_seconds = 1
    task_count                            = 1
    task_description                      = var.name
    task_title                            = var.name
    workteam_arn                          = "arn:aws:sagemaker:eu-north-1:394669845002:workteam/public-crowd/default"
    public_workforce_task_price {
      amount_in_usd {
        cents                     = 1
        tenth_fractions_of_a_cent = 2
      }
    }
  }
  output_config {
    s3_output_path = "s3://${var.bucket}/"
  }
}

resource "aws_sagemaker_workforce" "this" {
  workforce_name = var.name
  cognito_config {
    client_id = "client"
    user_pool = "eu-north-1_abcdefghi"
  }
}

resource "aws_sagemaker_workteam" "this" {
  workteam_name  = var.name
  workforce_name = var.name
  description    = "people"
  member_definition {
    cognito_member_definition {
      client_id  = "client"
      user_pool  = "eu-north-1_abcdefghi"
      user_group = "group"
    }
  }
}

resource "aws_sagemaker_hub" "this" {
  hub_name        = var.name
  hub_description = "models"
}

resource "aws_sagemaker_mlflow_tracking_server" "this" {
  tracking_server_name = var.name
  role_arn             = aws_iam_role.this.arn
  artifact_store_uri   = "s3://${var.bucket}/mlflow"
}

resource "aws_sagemaker_project" "this" {
  project_name = var.name
  service_catalog_provisioning_details {
    product_id = "prod-abcdefghijklm"
  }
}

resource "aws_sagemaker_servicecatalog_portfolio_status" "this" {
  status = "Enabled"
}

# registry, features, pipelines
resource "aws_sagemaker_model_package_group" "this" {
  model_package_group_name        = var.name
  model_package_group_description = "models"
  tags                            = { team = "a" }
}

resource "aws_sagemaker_model_package_group_policy" "this" {
  model_package_group_name = aws_sagemaker_model_package_group.this.model_package_group_name
  resource_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AddPermModelPackageGroup"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::210987654321:root" }
      Action    = ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"]
      Resource  = [aws_sagemaker_model_package_group.this.arn]
    }]
  })
}

resource "aws_sagemaker_feature_group" "online" {
  feature_group_name             = "${var.name}-online"
  record_identifier_feature_name = "id"
  event_time_feature_name        = "time"
  role_arn                       = aws_iam_role.this.arn
  feature_definition {
    feature_name = "id"
    feature_type = "String"
  }
  feature_definition {
    feature_name = "time"
    feature_type = "String"
  }
  feature_definition {
    feature_name    = "embedding"
    feature_type    = "Fractional"
    collection_type = "Vector"
    collection_config {
      vector_config {
        dimension = 3
      }
    }
  }
  online_store_config {
    enable_online_store = true
    storage_type        = "InMemory"
    ttl_duration {
      unit  = "Days"
      value = 1
    }
  }
  throughput_config {
    throughput_mode = "OnDemand"
  }
  tags = { team = "a" }
}

resource "aws_sagemaker_feature_group" "offline" {
  depends_on                     = [aws_iam_role_policy.this]
  feature_group_name             = "${var.name}-offline"
  record_identifier_feature_name = "id"
  event_time_feature_name        = "time"
  role_arn                       = aws_iam_role.this.arn
  feature_definition {
    feature_name = "id"
    feature_type = "String"
  }
  feature_definition {
    feature_name = "time"
    feature_type = "String"
  }
  offline_store_config {
    disable_glue_table_creation = true
    s3_storage_config {
      s3_uri     = "s3://${var.bucket}/features/"
      kms_key_id = var.kms_key_arn
    }
  }
}

resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = var.name
  pipeline_display_name = var.name
  role_arn              = aws_iam_role.this.arn
  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps   = [{ Name = "Test", Type = "Fail", Arguments = { ErrorMessage = "test" } }]
  })
  parallelism_configuration {
    max_parallel_execution_steps = 1
  }
  tags = { team = "a" }
}
