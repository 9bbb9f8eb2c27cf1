"""Whose the registries of container images are."""

from functools import cache

from sustainable_mlops.catalogue.tables import rows


def is_registry_of_aws(account: str) -> bool:
    """Whether AWS keeps SageMaker's own images in the registry of that account."""
    return account in _accounts()


@cache
def _accounts() -> frozenset[str]:
    return frozenset(row["account"] for row in rows("image_registries"))
