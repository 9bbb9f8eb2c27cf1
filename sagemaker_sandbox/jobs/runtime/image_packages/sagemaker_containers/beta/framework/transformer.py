"""Calls of inference functions, which the image does itself. Scripts import the name only."""
