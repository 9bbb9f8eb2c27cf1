"""moto's own tests of SageMaker, run against the sandbox."""
