#!/usr/bin/env python3
"""The command `smlops preflight`, from a clone."""

from _smlops import smlops

if __name__ == "__main__":
    smlops("preflight")
