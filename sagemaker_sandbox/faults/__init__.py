"""Faults on request: what is to go wrong in the sandbox, until it has gone wrong as often as was asked for."""
