"""Asynchronous inference: queues of requests, and their outcomes in S3 and SNS."""
