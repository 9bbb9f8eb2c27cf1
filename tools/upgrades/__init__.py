"""Breaking changes of the modules since the last release, and the instructions for users."""
