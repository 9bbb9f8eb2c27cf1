"""Rules of training: jobs, spot capacity, tuning, and the pipelines that run them."""
