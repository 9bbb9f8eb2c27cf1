"""Amazon SageMaker on this machine: control plane, model registry, training jobs and endpoints."""
