# Generated from sustainable_mlops/authoring/mocks.py by smlops synth. Change the source, then run `smlops synth`.

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
