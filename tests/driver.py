"""tftest's driver, which reads what Terraform says while it says it."""

import subprocess

import tftest


class Driver(tftest.TerraformTest):  # type: ignore[misc]
    """Reads stdout and stderr at once: tftest leaves stderr until the end, and both wait where its pipe is full."""

    def execute_command(self, cmd: str, *cmd_args: str) -> tftest.TerraformCommandOutput:
        """One command; raises TerraformTestError, with its words, where it fails."""
        done = subprocess.run(
            [self.binary, cmd, *cmd_args],
            cwd=self.tfdir,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="ignore",
            check=False,
        )
        if done.returncode in (1, 11):
            said = f"Error running command {cmd}: {done.returncode} {done.stdout} {done.stderr}"
            raise tftest.TerraformTestError(said, done.stderr)
        return tftest.TerraformCommandOutput(done.returncode, done.stdout, done.stderr)
