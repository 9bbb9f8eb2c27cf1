# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
  mock_resource "aws_iam_policy" {
    defaults = {
      arn = "arn:aws:iam::123456789012:policy/example"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/example"
    }
  }

  mock_resource "aws_sns_topic" {
    defaults = {
      arn = "arn:aws:sns:eu-north-1:123456789012:example"
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
  account_id  = "123456789012"
  region      = "eu-north-1"
  kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

  buckets = {
    artifacts = { arn = "arn:aws:s3:::shop-artifacts-123456789012-eu-north-1" }
    data      = { arn = "arn:aws:s3:::shop-data-123456789012-eu-north-1" }
  }
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
      output.role_arns,
      output.role_names,
    ] : value != null])
    error_message = "An output has no value."
  }
}
