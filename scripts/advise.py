#!/usr/bin/env python3
"""`smlops advise` in a clone."""

from _smlops import smlops

if __name__ == "__main__":
    smlops("advise")
