resource "aws_sagemaker_pipeline" "this" {
  # …

  # or file("${path.module}/train.json")
  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Train"
      Type = "Training"
      Arguments = {
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
