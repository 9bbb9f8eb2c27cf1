"""Stages, one for each module."""
