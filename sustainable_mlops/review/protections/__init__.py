"""Attributes that protect data, privileges or a safeguard, and the changes that weaken them."""
