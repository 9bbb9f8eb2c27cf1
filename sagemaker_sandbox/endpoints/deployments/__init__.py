"""Deployments: an endpoint changes to another configuration, and rolls back on failure."""
