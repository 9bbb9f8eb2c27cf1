"""A model of an environment, from what its callers need to an endpoint that answers: what `smlops deploy` runs."""
