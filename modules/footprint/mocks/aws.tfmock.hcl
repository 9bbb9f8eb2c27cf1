# Generated from sustainable_mlops/authoring/mocks.py by smlops synth. Change the source, then run `smlops synth`.

mock_resource "aws_bcmdataexports_export" {
  defaults = {
    id = "arn:aws:bcm-data-exports:us-east-1:123456789012:export/example-1234abcd-12ab-34cd-56ef-1234567890ab"
  }
}

mock_resource "aws_budgets_budget" {
  defaults = {
    arn = "arn:aws:budgets::123456789012:budget/example"
  }
}

mock_resource "aws_ce_anomaly_monitor" {
  defaults = {
    arn = "arn:aws:ce::123456789012:anomalymonitor/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
}

mock_resource "aws_ce_anomaly_subscription" {
  defaults = {
    arn = "arn:aws:ce::123456789012:anomalysubscription/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
}

mock_resource "aws_kms_alias" {
  defaults = {
    arn            = "arn:aws:kms:eu-north-1:123456789012:alias/example"
    target_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    key_id = "1234abcd-12ab-34cd-56ef-1234567890ab"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    arn = "arn:aws:s3:::example"
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
