"""Privileges and exposure: who may do, or reach, after a plan what they could not before."""
