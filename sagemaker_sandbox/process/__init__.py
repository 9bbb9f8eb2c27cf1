"""A sandbox, seen from other processes: its start, its use and its end."""
