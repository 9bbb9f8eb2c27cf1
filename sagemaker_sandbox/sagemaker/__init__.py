"""Other resources of SageMaker: models, model registry, Studio, MLflow, projects, tags and search."""
