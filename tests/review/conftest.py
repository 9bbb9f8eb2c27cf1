"""Fixtures of the reviewer's tests."""

from collections.abc import Iterator

import pytest

from tests.review.comments import serve


@pytest.fixture
def service() -> Iterator[str]:
    """The address of a service on this machine that keeps comments."""
    with serve() as address:
        yield address
