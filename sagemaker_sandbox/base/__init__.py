"""Base of the sandbox: time, accounts, clients, errors, signatures, and the state of each service."""
