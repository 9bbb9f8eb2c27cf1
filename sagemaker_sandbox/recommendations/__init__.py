"""Inference recommendation jobs: requests are checked, and the answers come from recorded load tests."""
