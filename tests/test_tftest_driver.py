"""The driver of Terraform does not block on a full pipe."""

from pathlib import Path

import pytest
import tftest

from tests.tftest_driver import Driver

#: Prints 1 MB on stderr before stdout, and ends with $CODE.
LOUD = """#!/bin/sh
head -c 1000000 /dev/zero | tr '\\0' e >&2
echo "$1 $2"
exit "$CODE"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "terraform").write_text(LOUD)
    (tmp_path / "terraform").chmod(0o755)
    return tmp_path


def test_a_large_stderr_is_read_while_terraform_writes_it(folder: Path) -> None:
    process = Driver(str(folder), binary=str(folder / "terraform"), env={"CODE": "2"}).execute_command("plan", "-x")
    assert (process.retcode, process.out, len(process.err)) == (2, "plan -x\n", 1_000_000)


def test_a_failure_has_the_output(folder: Path) -> None:
    driver = Driver(str(folder), binary=str(folder / "terraform"), env={"CODE": "1"})
    with pytest.raises(tftest.TerraformTestError, match=r"^Error running command apply: 1 e{9,}\napply ") as failed:
        driver.apply()
    assert failed.value.cmd_error == "e" * 1_000_000
