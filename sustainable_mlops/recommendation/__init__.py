"""Which endpoint serves a model with the least carbon, by a load test of its own: SageMaker's recommendation jobs.

from sustainable_mlops.recommendation import candidates, job, ranking, subject

model = subject.read("arn:aws:sagemaker:…:model-package/flights/3", clients)
found = job.wait(job.start(job.plan(model, candidates.of(model, …), …), sagemaker), sagemaker, print)
best = ranking.rank(found, …)[0]
"""
