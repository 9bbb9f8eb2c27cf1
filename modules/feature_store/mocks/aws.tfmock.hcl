# Generated from sustainable_mlops/authoring/mocks.py by smlops synth. Change the source, then run `smlops synth`.

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
