"""What runs inside SageMaker's containers, run as local processes: training jobs and model servers.

`training.TrainingRun` runs one training job, `hosting.ModelServer` serves one model. Neither knows the control plane
that calls it, nor moto: they need an S3 client and a folder.
"""
