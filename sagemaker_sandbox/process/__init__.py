"""Client of a sandbox: start, find, use and stop its server process."""
