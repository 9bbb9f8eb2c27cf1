#!/usr/bin/env python3
"""`smlops restore` in a clone."""

from _smlops import smlops

if __name__ == "__main__":
    smlops("restore")
