resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Tune"
      Type = "Tuning"
      Arguments = {
        HyperParameterTuningJobConfig = {
          Strategy                     = "Hyperband"
          TrainingJobEarlyStoppingType = "Off"
          ResourceLimits               = { MaxNumberOfTrainingJobs = 50, MaxParallelTrainingJobs = 5 }
          TuningJobCompletionCriteria = {
            BestObjectiveNotImproving = { MaxNumberOfTrainingJobsNotImproving = 10 }
          }
          HyperParameterTuningJobObjective = { Type = "Minimize", MetricName = "validation:rmse" }
        }
      }
    }]
  })
}
