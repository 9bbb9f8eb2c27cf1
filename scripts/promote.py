#!/usr/bin/env python3
"""`smlops promote` in a clone."""

from _smlops import smlops

if __name__ == "__main__":
    smlops("promote")
