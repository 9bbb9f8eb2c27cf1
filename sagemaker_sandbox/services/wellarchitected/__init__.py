"""AWS Well-Architected Tool: custom lenses, workloads, answers and risks. moto does not have this service."""
