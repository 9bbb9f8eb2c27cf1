# Generated from sustainable_mlops/authoring/mocks.py by smlops synth. Change the source, then run `smlops synth`.

mock_resource "aws_appautoscaling_policy" {
  defaults = {
    arn = "arn:aws:autoscaling:eu-north-1:123456789012:scalingPolicy:1234abcd-12ab-34cd-56ef-1234567890ab:resource/sagemaker/endpoint/example/variant/main:policyName/example"
  }
}

mock_resource "aws_appautoscaling_scheduled_action" {
  defaults = {
    arn = "arn:aws:autoscaling:eu-north-1:123456789012:scheduledAction:1234abcd-12ab-34cd-56ef-1234567890ab:resource/sagemaker/endpoint/example/variant/main:scheduledActionName/example"
  }
}

mock_resource "aws_appautoscaling_target" {
  defaults = {
    arn      = "arn:aws:application-autoscaling:eu-north-1:123456789012:scalable-target/0ab1c23456789012345678901234567890ab"
    role_arn = "arn:aws:iam::123456789012:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
  }
}

mock_resource "aws_cloudwatch_composite_alarm" {
  defaults = {
    arn = "arn:aws:cloudwatch:eu-north-1:123456789012:alarm:example"
  }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = {
    arn = "arn:aws:events:eu-north-1:123456789012:rule/example"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:eu-north-1:123456789012:log-group:example"
  }
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = {
    arn = "arn:aws:cloudwatch:eu-north-1:123456789012:alarm:example"
  }
}

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

mock_resource "aws_sagemaker_endpoint" {
  defaults = {
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:endpoint/example"
  }
}

mock_resource "aws_sagemaker_endpoint_configuration" {
  defaults = {
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:endpoint-config/example"
  }
}

mock_resource "aws_sagemaker_feature_group" {
  defaults = {
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:feature-group/example"
  }
}

mock_resource "aws_sagemaker_model" {
  defaults = {
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:model/example"
  }
}

mock_resource "aws_sagemaker_model_package_group" {
  defaults = {
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:model-package-group/example"
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

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:eu-north-1:123456789012:example"
    url = "https://sqs.eu-north-1.amazonaws.com/123456789012/example"
  }
}

mock_resource "aws_ssm_document" {
  defaults = {
    arn = "arn:aws:ssm:eu-north-1:123456789012:document/example"
  }
}

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "123456789012"
    arn        = "arn:aws:iam::123456789012:role/example"
    id         = "123456789012"
  }
}

mock_data "aws_iam_policy_document" {
  defaults = {
    json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  }
}

mock_data "aws_region" {
  defaults = {
    id   = "eu-north-1"
    name = "eu-north-1"
  }
}
