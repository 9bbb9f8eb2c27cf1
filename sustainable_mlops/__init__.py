"""Sustainable MLOps on Amazon SageMaker: Terraform modules, frugal launchers, plan review."""

__version__ = "0.1.0"
