"""AWS on this machine: moto and the project's own SageMaker in one process, on one port of 127.0.0.1."""

from sagemaker_sandbox.process import Sandbox

__all__ = ["Sandbox"]
