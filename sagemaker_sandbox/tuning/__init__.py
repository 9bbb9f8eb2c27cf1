"""Automatic model tuning: which training jobs a tuning job launches, which it stops, and when it is over.

It knows the control plane only as a function `call(operation, request)` in the account and Region of the tuning job.
"""
