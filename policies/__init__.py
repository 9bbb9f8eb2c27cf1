"""Package of external checks: checkov loads such checks only from a package."""
