"""Programs of the containers of built-in algorithms.

In a container this is a top-level package, and the rest of the sandbox does not exist.
"""
