# Generated from sustainable_mlops/authoring/mocks.py by smlops synth. Change the source, then run `smlops synth`.

mock_resource "aws_ecr_repository" {
  defaults = {
    arn            = "arn:aws:ecr:eu-north-1:123456789012:repository/example"
    repository_url = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/example"
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
