"""Jobs on SageMaker, from a job file to a launched job and its record.

    spec → platform, source, image, data → run key → request → launch → wait → record → register

`specs` has the models of the files that people write. `kinds` has the requests and responses of SageMaker, one file per
job kind. The other modules work for every kind.
"""
