"""SageMaker as a whole: the registry of its parts, who answers an operation, and the HTTP interfaces."""
