"""Emissions that AWS would report: the machines that ran, times a factor that a test sets."""
