"""Deployment of a model in an environment: choice of the endpoint, settings, plan, review and apply."""
