"""Execution of pipelines from their JSON definition. `services.ExecutionServices` gives access to AWS."""
