"""Readers of the resources of each service: one file per service."""
