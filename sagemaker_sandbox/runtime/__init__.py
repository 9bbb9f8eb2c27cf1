"""What runs inside SageMaker's containers, run as local processes: jobs and model servers.

`job.ContainerJob` runs one job, which `training`, `processing` or `transform` understands; `hosting.ModelServer` serves
one model. Neither knows the control plane that calls it, nor moto: they need an S3 client and a folder.
"""
