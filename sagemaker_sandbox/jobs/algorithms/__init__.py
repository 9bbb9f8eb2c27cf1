"""Built-in algorithms of SageMaker, implemented with libraries of the same algorithm."""
