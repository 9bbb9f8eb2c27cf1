# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# For OpenTofu, which cannot read mocks from a folder.
mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/example"
    }
  }

  mock_resource "aws_sagemaker_feature_group" {
    defaults = {
      arn = "arn:aws:sagemaker:eu-north-1:123456789012:feature-group/example"
    }
  }
}

variables {
  name_prefix          = "shop"
  kms_key_arn          = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  offline_store_s3_uri = "s3://shop-data-123456789012-eu-north-1/feature-store"
  role_arn             = "arn:aws:iam::123456789012:role/shop-feature-store"

  feature_groups = {
    orders = {
      record_identifier = "order_id"
      event_time        = "ordered_at"
      features = {
        amount     = { type = "Fractional" }
        order_id   = { type = "String" }
        ordered_at = { type = "String" }
      }
    }
  }
}

run "plan" {
  command = plan
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
      output.feature_groups,
      output.role_statements,
    ] : value != null])
    error_message = "An output has no value."
  }
}
