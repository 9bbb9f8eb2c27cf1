# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/example"
    }
  }

  mock_resource "aws_sagemaker_domain" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:domain/d-example"
      url = "https://d-example.studio.aws"
    }
  }

  mock_resource "aws_sagemaker_mlflow_tracking_server" {
    defaults = {
      arn                 = "arn:aws:sagemaker:eu-north-1:123456789012:mlflow-tracking-server/example"
      tracking_server_url = "https://t-example.eu-north-1.experiments.sagemaker.aws"
    }
  }

  mock_resource "aws_sagemaker_space" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:space/d-example/example"
    }
  }

  mock_resource "aws_sagemaker_studio_lifecycle_config" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:studio-lifecycle-config/example"
    }
  }

  mock_resource "aws_sagemaker_user_profile" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:user-profile/d-example/example"
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
  name_prefix        = "shop"
  account_id         = "123456789012"
  region             = "eu-north-1"
  kms_key_arn        = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  role_arn           = "arn:aws:iam::123456789012:role/shop-studio"
  vpc_id             = "vpc-0123456789abcdef0"
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids = ["sg-0123456789abcdef0"]
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

# The complete example has no deletion protection, so that the test can destroy it.
run "apply" {
  module {
    source = "./examples/complete"
  }

  assert {
    condition = alltrue([for value in [
      output.domain_arn,
      output.domain_id,
      output.file_system_id,
      output.tracking_server_arn,
      output.tracking_server_url,
      output.url,
      output.user_profile_arns,
    ] : value != null])
    error_message = "An output has no value."
  }
}
