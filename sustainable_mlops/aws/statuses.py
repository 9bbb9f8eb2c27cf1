"""Statuses of SageMaker jobs that no longer run. Source: SageMaker API reference."""

#: Training, processing, transform and tuning jobs.
FINAL_JOB_STATUSES = ("Completed", "Failed", "Stopped")
#: Jobs of Inference Recommender, and their steps.
FINAL_RECOMMENDATION_STATUSES = ("COMPLETED", "FAILED", "STOPPED")
