"""Base of the library: files and documents, settings, errors, Terraform, and the frame of every command."""
