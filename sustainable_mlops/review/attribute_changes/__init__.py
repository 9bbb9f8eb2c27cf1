"""Changed attributes of resources: their risks, and changes that nothing reads."""
