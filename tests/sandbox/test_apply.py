"""The Terraform provider works on the sandbox: apply, an empty second plan, and a complete destroy."""

from pathlib import Path

import pytest

from sustainable_mlops.base.terraform import Terraform, list_changes
from tests.provider import alone

#: One resource of each kind that moto alone would break or leave half done. Without a KMS key and lifecycle rules,
#: which cost 14 and 55 seconds of the provider's own waiting.
ROOT_MODULE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
  backend "s3" {
    bucket       = "terraform-state"
    key          = "probe/terraform.tfstate"
    region       = "eu-north-1"
    use_lockfile = true
  }
}

provider "aws" {
  region = "eu-north-1"
  default_tags {
    tags = { workload = "probe" }
  }
}

data "aws_caller_identity" "current" {}

locals {
  trust = {
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "sagemaker.amazonaws.com" } }
    ]
  }
  bucket_policy = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = "arn:aws:s3:::probe-data/*"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }, {
      Effect    = "Allow"
      Principal = { Service = "bcm-data-exports.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::probe-data/carbon/*"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  }
  share = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::210987654321:root" }
      Action    = ["sagemaker:DescribeModelPackage"]
      Resource  = ["arn:aws:sagemaker:eu-north-1:${data.aws_caller_identity.current.account_id}:model-package/probe/*"]
    }]
  }
}

resource "aws_iam_role" "this" {
  name               = "probe"
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_s3_bucket" "this" {
  bucket        = "probe-data"
  force_destroy = true
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode(local.bucket_policy)
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_intelligent_tiering_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  name   = "archive"
  tiering {
    access_tier = "ARCHIVE_ACCESS"
    days        = 90
  }
}

resource "aws_s3_bucket_notification" "this" {
  bucket      = aws_s3_bucket.this.id
  eventbridge = true
}

resource "aws_bcmdataexports_export" "this" {
  export {
    name = "probe"
    data_query {
      query_statement = "SELECT usage_period_start, region_code, total_lbm_emissions_value FROM CARBON_EMISSIONS"
    }
    destination_configurations {
      s3_destination {
        s3_bucket = aws_s3_bucket_policy.this.bucket
        s3_prefix = "carbon"
        s3_region = aws_s3_bucket.this.region
        s3_output_configurations {
          overwrite   = "OVERWRITE_REPORT"
          format      = "PARQUET"
          compression = "PARQUET"
          output_type = "CUSTOM"
        }
      }
    }
    refresh_cadence {
      frequency = "SYNCHRONOUS"
    }
  }
}

resource "aws_s3_object" "this" {
  bucket  = aws_s3_bucket_versioning.this.bucket
  key     = "hello"
  content = "world"
}

resource "aws_s3control_storage_lens_configuration" "this" {
  config_id = "probe"
  storage_lens_configuration {
    enabled = true
    account_level {
      bucket_level {}
    }
  }
}

resource "aws_sagemaker_feature_group" "this" {
  feature_group_name             = "probe-flights"
  record_identifier_feature_name = "flight"
  event_time_feature_name        = "event_time"
  role_arn                       = aws_iam_role.this.arn
  feature_definition {
    feature_name = "flight"
    feature_type = "String"
  }
  feature_definition {
    feature_name = "event_time"
    feature_type = "String"
  }
  offline_store_config {
    table_format = "Iceberg"
    s3_storage_config {
      s3_uri = "s3://${aws_s3_bucket.this.id}/features"
    }
  }
  online_store_config {
    enable_online_store = true
    ttl_duration {
      unit  = "Days"
      value = var.time_to_live_days
    }
  }
}

variable "time_to_live_days" {
  type    = number
  default = 30
}

resource "aws_sagemaker_model_package_group" "this" {
  model_package_group_name = "probe"
}

resource "aws_sagemaker_model_package_group_policy" "this" {
  model_package_group_name = aws_sagemaker_model_package_group.this.model_package_group_name
  resource_policy          = jsonencode(local.share)
}

resource "aws_sagemaker_model" "this" {
  name               = "probe"
  execution_role_arn = aws_iam_role.this.arn
  primary_container {
    image = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "probe-"
  production_variants {
    variant_name = "main"
    model_name   = aws_sagemaker_model.this.name
    serverless_config {
      memory_size_in_mb       = 2048
      max_concurrency         = var.max_concurrency
      provisioned_concurrency = 1
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

variable "max_concurrency" {
  type    = number
  default = 5
}

# Made by the endpoint otherwise, and left where it goes.
resource "aws_cloudwatch_log_group" "endpoint" {
  name              = "/aws/sagemaker/Endpoints/probe"
  retention_in_days = 7
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = "probe"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  depends_on           = [aws_cloudwatch_log_group.endpoint]
}

resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = "probe"
  pipeline_display_name = "probe"
  role_arn              = aws_iam_role.this.arn
  pipeline_definition = jsonencode({
    Version    = "2020-12-01"
    Parameters = [{ Name = "Most", Type = "Integer", DefaultValue = var.max_concurrency }]
    Steps      = [{ Name = "Fail", Type = "Fail", Arguments = { ErrorMessage = "not yet" } }]
  })
  parallelism_configuration {
    max_parallel_execution_steps = 2
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/main"
  scalable_dimension = "sagemaker:variant:DesiredProvisionedConcurrency"
  min_capacity       = 1
  max_capacity       = 2
}
"""


@pytest.mark.apply
def test_apply_plan_change_and_destroy(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(ROOT_MODULE)
    with alone(tmp_path / "sandbox.log") as (sandbox, environment):
        s3 = sandbox.client("s3")
        s3.create_bucket(Bucket="terraform-state", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        only_the_state = sandbox.inventory()
        terraform, plan_file = Terraform(tmp_path, environment), tmp_path / "tfplan"
        terraform.init()
        terraform.apply()
        assert list_changes(terraform.plan(plan_file)) == {}
        change = ("-var=time_to_live_days=7", "-var=max_concurrency=6")
        assert list_changes(terraform.plan(plan_file, *change)) == {
            "aws_sagemaker_feature_group.this": ["update"],
            "aws_sagemaker_endpoint_configuration.this": ["create", "delete"],
            "aws_sagemaker_endpoint.this": ["update"],
            "aws_sagemaker_pipeline.this": ["update"],
        }
        terraform.apply(*change)
        terraform.apply("-destroy")
        assert sandbox.inventory() == only_the_state
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="terraform-state")["Contents"]] == [
            "probe/terraform.tfstate"
        ]
    assert (tmp_path / "sandbox.log").read_text() == ""
