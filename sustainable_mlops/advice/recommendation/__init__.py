"""Recommendation of the endpoint with the least carbon for a model, from load tests of SageMaker's recommendation jobs.

from sustainable_mlops.advice.recommendation import candidates, job, model_under_test, ranking

model = model_under_test.read_model("arn:aws:sagemaker:…:model-package/flights/3", clients)
jobs = job.plan_jobs(model, candidates.choose_candidates(model, …), …)
results = [(one, job.run_job(one, sagemaker, print)) for one in jobs]
best = ranking.rank_recommendations(results, …, sagemaker)[0]
"""
