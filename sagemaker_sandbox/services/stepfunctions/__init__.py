"""Tasks of Step Functions that call SageMaker."""
