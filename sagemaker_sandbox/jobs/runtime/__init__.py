"""Processes that run the content of SageMaker containers on this computer: jobs and model servers.

`job.ContainerJob` runs one job; its definition is in `training_definition`, `processing_definition` or
`transform_definition`. `model_server.ModelServer` serves one model. These modules import neither the control plane
nor moto: they need an S3 client and a folder.
"""
