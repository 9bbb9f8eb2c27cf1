"""Training jobs on SageMaker: from a `job.yaml` to a launched job and the record of what it took.

spec → platform, source, image, data → run key → request → launch → wait → record → register
"""
