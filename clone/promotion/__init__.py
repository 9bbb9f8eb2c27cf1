"""Promotion and rollback of the model package that an environment pins. It changes nothing in AWS."""
