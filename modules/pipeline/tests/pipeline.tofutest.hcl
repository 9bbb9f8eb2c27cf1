# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = {
      arn = "arn:aws:events:eu-north-1:123456789012:rule/example"
    }
  }

  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = {
      arn = "arn:aws:cloudwatch:eu-north-1:123456789012:alarm:example"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/example"
    }
  }

  mock_resource "aws_sagemaker_pipeline" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/example"
    }
  }

  mock_resource "aws_scheduler_schedule" {
    defaults = {
      arn = "arn:aws:scheduler:eu-north-1:123456789012:schedule/example/example"
    }
  }

  mock_resource "aws_scheduler_schedule_group" {
    defaults = {
      arn = "arn:aws:scheduler:eu-north-1:123456789012:schedule-group/example"
    }
  }

  mock_resource "aws_sns_topic" {
    defaults = {
      arn = "arn:aws:sns:eu-north-1:123456789012:example"
    }
  }

  mock_resource "aws_sns_topic_subscription" {
    defaults = {
      arn = "arn:aws:sns:eu-north-1:123456789012:example:1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }

  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:eu-north-1:123456789012:example"
      url = "https://sqs.eu-north-1.amazonaws.com/123456789012/example"
    }
  }

  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
      arn        = "arn:aws:iam::123456789012:role/example"
      id         = "123456789012"
    }
  }

  mock_data "aws_region" {
    defaults = {
      id   = "eu-north-1"
      name = "eu-north-1"
    }
  }
}

variables {
  name_prefix = "shop"
  name        = "orders"
  account_id  = "123456789012"
  region      = "eu-north-1"
  role_arn    = "arn:aws:iam::123456789012:role/shop-pipeline"

  # Or, as the SageMaker SDK writes it: file("${path.module}/pipeline.json")
  definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name        = "Sort"
      Type        = "Processing"
      CacheConfig = { Enabled = true, ExpireAfter = "P30D" }
      Arguments = {
        RoleArn           = "arn:aws:iam::123456789012:role/shop-data-preparation"
        StoppingCondition = { MaxRuntimeInSeconds = 600 }
        AppSpecification = {
          ImageUri            = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
          ContainerEntrypoint = ["sh", "-c", "sort -u /opt/ml/processing/input/* > /opt/ml/processing/output/orders.csv"]
        }
        ProcessingInputs = [{
          InputName = "orders"
          S3Input = {
            S3Uri       = "s3://shop-data-123456789012-eu-north-1/raw/orders/"
            LocalPath   = "/opt/ml/processing/input"
            S3DataType  = "S3Prefix"
            S3InputMode = "File"
          }
        }]
        ProcessingOutputConfig = {
          KmsKeyId = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
          Outputs = [{
            OutputName = "sorted"
            S3Output = {
              S3Uri        = "s3://shop-data-123456789012-eu-north-1/re-creatable/orders"
              LocalPath    = "/opt/ml/processing/output"
              S3UploadMode = "EndOfJob"
            }
          }]
        }
        ProcessingResources = {
          ClusterConfig = {
            InstanceCount  = 1
            InstanceType   = "ml.m7i.large"
            VolumeSizeInGB = 5
            VolumeKmsKeyId = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
          }
        }
      }
    }]
  })
}

run "plan" {
  command = plan

  variables {
    verify_location = true
  }
}

run "invalid_name_prefix" {
  command = plan

  variables {
    name_prefix = "Not valid"
  }

  expect_failures = [var.name_prefix]
}

run "apply" {
  module {
    source = "./examples/complete"
  }

  assert {
    condition = alltrue([for value in [
      output.arn,
      output.dead_letter_queue_names,
      output.dead_letter_queue_url,
      output.drift_alarm_arn,
      output.failure_topic_arn,
      output.name,
      output.role_statements,
      output.rule_names,
      output.schedule_name,
      output.starter_role_arn,
    ] : value != null])
    error_message = "An output has no value."
  }
}
