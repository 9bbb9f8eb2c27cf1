"""Comparisons of whole blocks and documents: copies, retention, snapshots and monitoring."""
