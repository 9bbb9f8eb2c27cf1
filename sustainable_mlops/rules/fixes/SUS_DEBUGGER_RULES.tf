resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Train"
      Type = "Training"
      Arguments = {
        # no DebugRuleConfigurations and no ProfilerRuleConfigurations: train.py stops early
        HyperParameters   = { sagemaker_program = "train.py", early-stopping-rounds = "10" }
        ProfilerConfig    = { DisableProfiler = true }
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
