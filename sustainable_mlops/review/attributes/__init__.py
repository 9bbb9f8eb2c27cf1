"""Changed attributes: those that guard something, and those that nothing reads."""
