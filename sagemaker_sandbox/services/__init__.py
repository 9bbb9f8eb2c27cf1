"""Services besides SageMaker that the sandbox answers itself, where moto has no operation."""
