"""The list of attributes that protect data, privileges or a safeguard, and the tests of their changes."""
