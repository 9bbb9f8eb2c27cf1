"""Application Auto Scaling of SageMaker's variants: targets, policies, scheduled actions, and what comes of them."""
