"""Promotion and rollback of the model package that an environment pins. AWS is only read."""
