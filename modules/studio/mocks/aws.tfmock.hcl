# Generated from sustainable_mlops/authoring/mocks.py by smlops synth. Change the source, then run `smlops synth`.

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
