"""checkov loads external checks only from a folder that is a package."""
