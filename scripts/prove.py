#!/usr/bin/env python3
"""The command `smlops prove`, from a clone."""

from _smlops import smlops

if __name__ == "__main__":
    smlops("prove")
