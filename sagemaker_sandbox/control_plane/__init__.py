"""Control plane of SageMaker: registry of operations, dispatch, HTTP interfaces; also Application Auto Scaling."""
