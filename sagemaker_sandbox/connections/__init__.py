"""Connections of clients: the hosts they may name, TLS for AWS's host names, and the bodies they send."""
