#!/usr/bin/env python3
"""The command `smlops tune`, from a clone."""

from _smlops import smlops

if __name__ == "__main__":
    smlops("tune")
