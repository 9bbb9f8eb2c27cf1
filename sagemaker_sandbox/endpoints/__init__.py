"""Endpoints: configurations, instances, requests, deployments, scaling and asynchronous queues."""
