"""Endpoint hosting: instances of each variant, traffic between them, data capture, logs and metrics."""
