"""Fixtures of the reviewer's tests."""

from collections.abc import Iterator

import pytest

from tests.review.comments import serve


@pytest.fixture
def service() -> Iterator[str]:
    """Yield the address of a local comment service."""
    with serve() as address:
        yield address
