"""Actions of the types of step: start, check, stop."""
