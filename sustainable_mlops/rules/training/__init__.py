"""Rules for training: jobs, spot capacity, tuning and pipelines."""
