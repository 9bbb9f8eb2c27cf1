"""Stages of prove: one class for each module."""
