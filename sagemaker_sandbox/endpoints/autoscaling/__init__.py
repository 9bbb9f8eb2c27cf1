"""Application Auto Scaling of SageMaker variants: targets, policies, scheduled actions and activities."""
