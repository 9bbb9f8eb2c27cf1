"""Asynchronous inference: a queue before the instances, and what becomes of each request in S3 and SNS."""
