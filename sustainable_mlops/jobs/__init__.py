"""Jobs on SageMaker: from a file that describes one to a launched job and the record of what it took.

spec → platform, source, image, data → run key → request → launch → wait → record → register

`specs` is what people write, `kinds` what SageMaker is asked and answers, a file a kind; the rest is for every kind.
"""
