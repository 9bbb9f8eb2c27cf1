"""Base of SageMaker's operations: the Region, resources, handlers and lists."""
