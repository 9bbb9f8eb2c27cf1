"""Base of the library: files, documents, settings and errors; Terraform and git; consoles and exit codes."""
