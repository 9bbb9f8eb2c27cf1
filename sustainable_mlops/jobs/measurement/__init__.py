"""Measurements of a job, from counters in its container and from SageMaker, compared with the estimate."""
