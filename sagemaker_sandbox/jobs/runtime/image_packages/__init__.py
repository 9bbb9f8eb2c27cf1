"""Packages that old framework images of AWS have, and that this Python lacks or has in newer versions.

In a container this folder is on PYTHONPATH, and the rest of the sandbox does not exist.
"""
