"""Emissions that AWS would report: the estimate for the instances that ran, times a factor that a test sets."""
