"""Functions for scripts, by subject."""
