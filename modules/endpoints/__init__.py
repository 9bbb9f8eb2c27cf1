"""Shared code of the endpoint modules; each kind of endpoint is a separate module."""
