"""Training, processing, transform, tuning and compilation jobs, and the processes that run them."""
