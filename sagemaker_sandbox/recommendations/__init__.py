"""Inference Recommender: a load on endpoints of this machine, and what follows from it."""
