resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Train"
      Type = "Training"
      Arguments = {
        # torch.compile in the training code instead of sagemaker_training_compiler_enabled
        HyperParameters   = { sagemaker_program = "train.py", compile = "true" }
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
