"""Breaking changes of the modules since the last release, and what users do about them."""
