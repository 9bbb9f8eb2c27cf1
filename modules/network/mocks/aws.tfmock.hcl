# Generated from sustainable_mlops/authoring/mocks.py by smlops synth. Change the source, then run `smlops synth`.

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
