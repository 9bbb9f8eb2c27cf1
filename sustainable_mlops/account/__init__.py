"""Operations on environments: deploy, preflight, prove, teardown, and changes of feature groups."""
