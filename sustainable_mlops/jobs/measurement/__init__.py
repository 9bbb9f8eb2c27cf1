"""What a job took, read from counters in its container and from SageMaker's own, beside what was estimated."""
