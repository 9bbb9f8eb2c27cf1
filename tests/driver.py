"""tftest's driver, which reads what Terraform says while it says it."""

import re
import subprocess

import tftest

#: Colours and frames around what Terraform says.
_AROUND = re.compile(r"\x1b\[[0-9;]*m|[╷│╵]")


class FailedError(tftest.TerraformTestError):  # type: ignore[misc]
    """Printed as text, what went wrong first: tftest's is a tuple, in one line of everything."""

    def __str__(self) -> str:
        return str(self.args[0])


class Driver(tftest.TerraformTest):  # type: ignore[misc]
    """Reads stdout and stderr at once: tftest leaves stderr until the end, and both wait where its pipe is full."""

    def execute_command(self, cmd: str, *cmd_args: str) -> tftest.TerraformCommandOutput:
        """One command; raises TerraformTestError, with its words, where it fails."""
        process = subprocess.run(
            [self.binary, cmd, *cmd_args],
            cwd=self.tfdir,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="ignore",
            check=False,
        )
        if process.returncode in (1, 11):
            wrong = " ".join(_AROUND.sub(" ", process.stderr).split())
            raise FailedError(
                f"Error running command {cmd}: {process.returncode} {wrong}\n{process.stdout}", process.stderr
            )
        return tftest.TerraformCommandOutput(process.returncode, process.stdout, process.stderr)
