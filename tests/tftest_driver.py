"""tftest's driver, changed to read the output of Terraform while it runs."""

import re
import subprocess

import tftest

#: Colors and frames in the output of Terraform.
_AROUND = re.compile(r"\x1b\[[0-9;]*m|[╷│╵]")


class FailedError(tftest.TerraformTestError):  # type: ignore[misc]
    """Error whose text begins with the message; tftest prints a tuple in one line."""

    def __str__(self) -> str:
        return str(self.args[0])


class Driver(tftest.TerraformTest):  # type: ignore[misc]
    """Driver that reads stdout and stderr at once. tftest reads stderr at the end, and blocks if the pipe is full."""

    def execute_command(self, cmd: str, *cmd_args: str) -> tftest.TerraformCommandOutput:
        """Run one command. Raises TerraformTestError with its message if it fails."""
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
            message = " ".join(_AROUND.sub(" ", process.stderr).split())
            raise FailedError(
                f"Error running command {cmd}: {process.returncode} {message}\n{process.stdout}", process.stderr
            )
        return tftest.TerraformCommandOutput(process.returncode, process.stdout, process.stderr)
