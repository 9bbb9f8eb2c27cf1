resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [
      {
        Name          = "Evaluate"
        Type          = "Processing"
        PropertyFiles = [{ PropertyFileName = "evaluation", OutputName = "report", FilePath = "evaluation.json" }]
        Arguments = {
          ProcessingResources = {
            ClusterConfig = { InstanceType = "ml.m5.large", InstanceCount = 1, VolumeSizeInGB = 30 }
          }
          StoppingCondition = { MaxRuntimeInSeconds = 3600 }
        }
      },
      {
        Name = "Gate"
        Type = "Condition"
        Arguments = {
          Conditions = [{
            Type = "LessThanOrEqualTo"
            LeftValue = {
              "Std:JsonGet" = {
                PropertyFile = { Get = "Steps.Evaluate.PropertyFiles.evaluation" }
                Path         = "metrics.rmse"
              }
            }
            RightValue = 9
          }]
          IfSteps = [{
            Name = "Register"
            Type = "RegisterModel"
            Arguments = {
              ModelPackageGroupName = "delay"
              ModelApprovalStatus   = "PendingManualApproval"
            }
          }]
          ElseSteps = []
        }
      },
    ]
  })
}
