resource "aws_sagemaker_pipeline" "this" {
  # …

  parallelism_configuration {
    max_parallel_execution_steps = 2
  }

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [
      {
        Name = "TrainTrees"
        Type = "Training"
        Arguments = {
          StoppingCondition = { MaxRuntimeInSeconds = 3600 }
        }
      },
      {
        Name = "TrainLinear"
        Type = "Training"
        Arguments = {
          StoppingCondition = { MaxRuntimeInSeconds = 3600 }
        }
      },
      {
        Name = "TrainNetwork"
        Type = "Training"
        Arguments = {
          StoppingCondition = { MaxRuntimeInSeconds = 3600 }
        }
      },
    ]
  })
}
