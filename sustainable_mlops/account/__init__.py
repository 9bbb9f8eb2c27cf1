"""Operations on an account that exists: adopt, preflight, find idle, reconcile, recover, restore, evolve, teardown."""
