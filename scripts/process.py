#!/usr/bin/env python3
"""`smlops process` in a clone."""

from _smlops import smlops

if __name__ == "__main__":
    smlops("process")
