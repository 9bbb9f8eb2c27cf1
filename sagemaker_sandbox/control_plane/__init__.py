"""SageMaker as a whole: the registry of its parts, the control plane and the HTTP interfaces."""
