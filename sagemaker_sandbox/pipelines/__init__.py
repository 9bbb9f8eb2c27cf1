"""Pipelines, executed from their JSON definition. What they need of AWS comes in as `outside.Outside`."""
