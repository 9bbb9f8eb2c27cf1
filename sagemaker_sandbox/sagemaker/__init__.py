"""Parts of Amazon SageMaker in the sandbox: models, endpoints, jobs, pipelines, feature groups, model registry."""
