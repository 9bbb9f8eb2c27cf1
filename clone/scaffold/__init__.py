"""Scaffolds for a new environment, module or workload. Each passes the tests without changes."""
