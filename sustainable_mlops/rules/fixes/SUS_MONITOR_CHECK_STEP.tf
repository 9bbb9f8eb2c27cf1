resource "aws_sagemaker_pipeline" "this" {
  # …

  pipeline_definition = jsonencode({
    Version = "2020-12-01"
    Steps = [{
      Name = "Compare"
      Type = "Processing"
      Arguments = {
        # compare.py compares the data with the baseline (scipy, shap) and publishes the drift as a metric
        AppSpecification = {
          ImageUri            = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/drift:2026-11-01"
          ContainerEntrypoint = ["python3", "compare.py"]
        }
        ProcessingResources = {
          ClusterConfig = { InstanceType = "ml.m5.large", InstanceCount = 1, VolumeSizeInGB = 30 }
        }
        StoppingCondition = { MaxRuntimeInSeconds = 3600 }
      }
    }]
  })
}
