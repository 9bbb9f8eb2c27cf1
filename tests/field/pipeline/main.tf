# Nightly retraining: a pipeline with its role and its schedule.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

provider "aws" {
  region                      = "us-west-2"
  access_key                  = "no-account"
  secret_key                  = "no-account"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variable "name" {
  type    = string
  default = "churn"
}

variable "training_instance_type" {
  type    = string
  default = "ml.m5.4xlarge"
}

variable "bucket" {
  type    = string
  default = "acme-churn-data"
}

resource "aws_iam_role" "pipeline" {
  name = "${var.name}-pipeline"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "pipeline" {
  role       = aws_iam_role.pipeline.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_sagemaker_model_package_group" "this" {
  model_package_group_name        = var.name
  model_package_group_description = "Churn models"
}

resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = "${var.name}-training"
  pipeline_display_name = "${var.name}-training"
  role_arn              = aws_iam_role.pipeline.arn

  pipeline_definition = jsonencode({
    Version  = "2020-12-01"
    Metadata = {}
    Parameters = [
      { Name = "TrainingInstanceType", Type = "String", DefaultValue = var.training_instance_type },
      { Name = "InputData", Type = "String", DefaultValue = "s3://${var.bucket}/raw/" },
    ]
    Steps = [
      {
        Name = "Prepare"
        Type = "Processing"
        Arguments = {
          RoleArn = aws_iam_role.pipeline.arn
          ProcessingResources = {
            ClusterConfig = { InstanceType = "ml.m5.2xlarge", InstanceCount = 1, VolumeSizeInGB = 50 }
          }
          AppSpecification = {
            ImageUri            = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
            ContainerEntrypoint = ["python3", "/opt/ml/processing/input/code/prepare.py"]
          }
          ProcessingInputs = [{
            InputName  = "data"
            AppManaged = false
            S3Input = {
              S3Uri                  = { Get = "Parameters.InputData" }
              LocalPath              = "/opt/ml/processing/input"
              S3DataType             = "S3Prefix"
              S3InputMode            = "File"
              S3DataDistributionType = "FullyReplicated"
              S3CompressionType      = "None"
            }
          }]
          ProcessingOutputConfig = {
            Outputs = [{
              OutputName = "train"
              AppManaged = false
              S3Output = {
                S3Uri        = "s3://${var.bucket}/prepared/"
                LocalPath    = "/opt/ml/processing/train"
                S3UploadMode = "EndOfJob"
              }
            }]
          }
        }
      },
      {
        Name = "Train"
        Type = "Training"
        Arguments = {
          RoleArn = aws_iam_role.pipeline.arn
          AlgorithmSpecification = {
            TrainingImage     = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
            TrainingInputMode = "File"
          }
          OutputDataConfig  = { S3OutputPath = "s3://${var.bucket}/models/" }
          StoppingCondition = { MaxRuntimeInSeconds = 86400 }
          ResourceConfig = {
            InstanceType   = { Get = "Parameters.TrainingInstanceType" }
            InstanceCount  = 1
            VolumeSizeInGB = 100
          }
          InputDataConfig = [{
            ChannelName = "train"
            ContentType = "text/csv"
            DataSource = {
              S3DataSource = {
                S3DataType             = "S3Prefix"
                S3Uri                  = { Get = "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri" }
                S3DataDistributionType = "FullyReplicated"
              }
            }
          }]
          HyperParameters = {
            objective = "binary:logistic"
            max_depth = "6"
            num_round = "400"
          }
        }
      },
      {
        Name = "Register"
        Type = "RegisterModel"
        Arguments = {
          ModelPackageGroupName = aws_sagemaker_model_package_group.this.model_package_group_name
          ModelApprovalStatus   = "PendingManualApproval"
          InferenceSpecification = {
            SupportedContentTypes                   = ["text/csv"]
            SupportedResponseMIMETypes              = ["text/csv"]
            SupportedRealtimeInferenceInstanceTypes = ["ml.m5.large"]
            SupportedTransformInstanceTypes         = ["ml.m5.large"]
            Containers = [{
              Image        = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
              ModelDataUrl = { Get = "Steps.Train.ModelArtifacts.S3ModelArtifacts" }
            }]
          }
        }
      },
    ]
  })
}

resource "aws_iam_role" "schedule" {
  name = "${var.name}-schedule"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  name = "start"
  role = aws_iam_role.schedule.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "sagemaker:StartPipelineExecution"
      Resource = aws_sagemaker_pipeline.this.arn
    }]
  })
}

resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "${var.name}-nightly"
  description         = "Train on yesterday's data"
  schedule_expression = "cron(0 2 * * ? *)"
}

resource "aws_cloudwatch_event_target" "nightly" {
  rule     = aws_cloudwatch_event_rule.nightly.name
  arn      = aws_sagemaker_pipeline.this.arn
  role_arn = aws_iam_role.schedule.arn

  sagemaker_pipeline_target {
    pipeline_parameter_list {
      name  = "InputData"
      value = "s3://${var.bucket}/raw/"
    }
  }
}
