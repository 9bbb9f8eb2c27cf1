#!/usr/bin/env python3
"""`smlops adopt` in a clone."""

from _smlops import smlops

if __name__ == "__main__":
    smlops("adopt")
