"""Injected faults, which occur as many times as a test requested."""
