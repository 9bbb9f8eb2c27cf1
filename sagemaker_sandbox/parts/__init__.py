"""Building blocks of SageMaker's parts: the Region, resources, operations and lists."""
