"""Functions for scripts."""
