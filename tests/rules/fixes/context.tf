# Resources of a user that the fixes refer to. A test adds those that a fix names.

resource "aws_iam_role" "this" {
  name = "sagemaker"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_kms_key" "this" {
  description = "Machine learning"
}

resource "aws_s3_bucket" "this" {
  bucket = "sagemaker-123456789012"
}

resource "aws_sns_topic" "alerts" {
  name = "alerts"
}

resource "aws_ecr_repository" "this" {
  name = "sagemaker-delay"
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.0.0/24"
}

# In the subnet, so that the VPC has machine learning.
resource "aws_sagemaker_notebook_instance" "in_vpc" {
  name          = "in-vpc"
  role_arn      = aws_iam_role.this.arn
  instance_type = "ml.t3.medium"
  subnet_id     = aws_subnet.this.id
}

resource "aws_sagemaker_model" "this" {
  execution_role_arn = aws_iam_role.this.arn

  primary_container {
    image          = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay:2026-11-01"
    model_data_url = "s3://${aws_s3_bucket.this.bucket}/models/delay/model.tar.gz"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "delay-"

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = "delay"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name

  tags = {
    environment = "test"
  }
}

resource "aws_sagemaker_endpoint_configuration" "async" {
  name_prefix = "delay-async-"

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }

  async_inference_config {
    output_config {
      s3_output_path = "s3://${aws_s3_bucket.this.bucket}/async/output/"
    }
  }
}

resource "aws_sagemaker_endpoint" "async" {
  name                 = "delay-async"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.async.name
}

resource "aws_sagemaker_endpoint_configuration" "serverless" {
  name_prefix = "delay-serverless-"

  production_variants {
    variant_name = "main"
    model_name   = aws_sagemaker_model.this.name

    serverless_config {
      memory_size_in_mb = 2048
      max_concurrency   = 5
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "provisioned" {
  name_prefix = "delay-serverless-"

  production_variants {
    variant_name = "main"
    model_name   = aws_sagemaker_model.this.name

    serverless_config {
      memory_size_in_mb       = 2048
      max_concurrency         = 5
      provisioned_concurrency = 1
    }
  }
}

resource "aws_sagemaker_endpoint" "serverless" {
  name                 = "delay-serverless"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.provisioned.name
}

# Writes its output to the bucket.
resource "aws_sagemaker_endpoint_configuration" "captured" {
  name_prefix = "delay-captured-"

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = "ml.c7g.large"
    initial_instance_count = 1
  }

  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 10
    destination_s3_uri          = "s3://${aws_s3_bucket.this.bucket}/captures/"

    capture_options {
      capture_mode = "Input"
    }
  }
}

resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = "train"
  pipeline_display_name = "train"
  role_arn              = aws_iam_role.this.arn
  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps   = [{ Name = "Train", Type = "Training", Arguments = {} }]
  })
}

resource "aws_sagemaker_domain" "this" {
  domain_name = "explore"
  auth_mode   = "IAM"
  vpc_id      = aws_vpc.this.id
  subnet_ids  = [aws_subnet.this.id]

  default_user_settings {
    execution_role = aws_iam_role.this.arn
  }
}

resource "aws_sagemaker_space" "this" {
  domain_id  = aws_sagemaker_domain.this.id
  space_name = "ada"
}

resource "aws_sagemaker_feature_group" "this" {
  feature_group_name             = "flights"
  record_identifier_feature_name = "flight_id"
  event_time_feature_name        = "observed_at"
  role_arn                       = aws_iam_role.this.arn

  feature_definition {
    feature_name = "flight_id"
    feature_type = "String"
  }

  feature_definition {
    feature_name = "observed_at"
    feature_type = "String"
  }

  offline_store_config {
    table_format = "Iceberg"

    s3_storage_config {
      s3_uri     = "s3://${aws_s3_bucket.this.bucket}/features/"
      kms_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_appautoscaling_target" "async" {
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.async.name}/variant/main"
  min_capacity       = 0
  max_capacity       = 4
}
