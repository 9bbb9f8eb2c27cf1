"""Inference recommendation jobs: requests are checked, and the responses come from recorded load tests."""
