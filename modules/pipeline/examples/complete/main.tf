# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

provider "aws" {
  region = "eu-north-1"
}

module "pipeline" {
  source = "../.."

  name_prefix        = "flights-dev"
  name               = "orders"
  account_id         = "123456789012"
  region             = "eu-north-1"
  description        = "Takes the lines of a file that have a comma, each once."
  role_arn           = "arn:aws:iam::123456789012:role/flights-dev-pipeline"
  max_parallel_steps = 4
  role_path          = "/mlops/"
  tags               = { workload = "orders" }

  parameters = {
    DataBucket = "flights-dev-data-123456789012-eu-north-1"
    KmsKeyArn  = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    RoleArn    = "arn:aws:iam::123456789012:role/flights-dev-data-preparation"
    VolumeGb   = "10"
  }

  data_arrival = {
    bucket       = "flights-dev-data-123456789012-eu-north-1"
    key_prefix   = "raw/orders/"
    key_suffixes = [".csv", ".txt"]
  }

  # A processing job publishes the metric: workloads/flight_delay/drift.py.
  drift = {
    workload   = "orders"
    threshold  = 2
    parameters = { InputKey = "raw/orders/all.csv" }
  }

  schedule = {
    expression = "cron(0 3 ? * MON *)"
    timezone   = "Europe/Stockholm"
    parameters = { InputKey = "raw/orders/all.csv" }
  }

  failure_topic = {
    kms_key_arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    subscribers = { ml_team = { protocol = "email", endpoint = "ml-team@example.com" } }
  }

  definition = jsonencode({
    Version = "2020-12-01"
    Parameters = [
      { Name = "DataBucket", Type = "String" },
      { Name = "InputKey", Type = "String", DefaultValue = "raw/orders/all.csv" },
      { Name = "KmsKeyArn", Type = "String" },
      { Name = "RoleArn", Type = "String" },
      { Name = "StartReason", Type = "String", DefaultValue = "none" },
      { Name = "VolumeGb", Type = "Integer", DefaultValue = 5 },
    ]
    Steps = [{
      Name        = "Clean"
      Type        = "Processing"
      CacheConfig = { Enabled = true, ExpireAfter = "P30D" }
      Arguments = {
        RoleArn           = { Get = "Parameters.RoleArn" }
        Environment       = { START_REASON = { Get = "Parameters.StartReason" } }
        StoppingCondition = { MaxRuntimeInSeconds = 600 }
        AppSpecification = {
          ImageUri            = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
          ContainerEntrypoint = ["sh", "-c", "grep -h , -r /opt/ml/processing/input > /opt/ml/processing/output/clean.csv"]
        }
        ProcessingInputs = [{
          InputName = "orders"
          S3Input = {
            S3Uri       = { "Std:Join" = { On = "/", Values = ["s3:/", { Get = "Parameters.DataBucket" }, { Get = "Parameters.InputKey" }] } }
            LocalPath   = "/opt/ml/processing/input"
            S3DataType  = "S3Prefix"
            S3InputMode = "File"
          }
        }]
        ProcessingOutputConfig = {
          KmsKeyId = { Get = "Parameters.KmsKeyArn" }
          Outputs = [{
            OutputName = "clean"
            S3Output = {
              S3Uri        = { "Std:Join" = { On = "/", Values = ["s3:/", { Get = "Parameters.DataBucket" }, "re-creatable/orders", { Get = "Execution.PipelineExecutionId" }] } }
              LocalPath    = "/opt/ml/processing/output"
              S3UploadMode = "EndOfJob"
            }
          }]
        }
        ProcessingResources = {
          ClusterConfig = {
            InstanceCount  = 1
            InstanceType   = "ml.m7i.large"
            VolumeSizeInGB = { Get = "Parameters.VolumeGb" }
            VolumeKmsKeyId = { Get = "Parameters.KmsKeyArn" }
          }
        }
      }
    }]
  })
}

