"""Automatic model tuning: the training jobs that a tuning job launches and stops, and its end.

The package calls the control plane only by a function `call(operation, request)`, which belongs to the account and
Region of the tuning job.
"""
