"""Operations on an existing AWS account: adopt, preflight, find-idle, clean, reconcile, recover, restore, teardown."""
