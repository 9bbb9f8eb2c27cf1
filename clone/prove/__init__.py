"""Tests of the modules on one account: apply, use, change, roll back and destroy each of them, and report."""
