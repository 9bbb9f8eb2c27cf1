"""SageMaker's resources in one Region: their names, status changes, handlers and lists."""
