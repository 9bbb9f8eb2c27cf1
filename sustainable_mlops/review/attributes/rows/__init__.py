"""The rows of the list of attributes, by subject."""
