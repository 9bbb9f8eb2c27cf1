"""Privileges and exposure: permissions and network access that a plan adds."""
