"""Detection of mount namespaces, with which containers have a root of their own and a real /opt/ml.

They need Linux, and the permission to create them.
"""

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sagemaker_sandbox.jobs.runtime.container import ML_ROOT, Container

#: Environment variable; with the value `paths`, containers have the root of this computer.
VARIABLE = "SANDBOX_OPT_ML"
MOUNTED, PATHS = "mounted", "paths"


def get_opt_ml_mode() -> str:
    """Return `mounted` if containers have a root of their own with /opt/ml, else `paths`."""
    return MOUNTED if os.environ.get(VARIABLE) != PATHS and can_mount_opt_ml() else PATHS


def is_opt_ml_mounted() -> bool:
    """Return whether containers see a real /opt/ml."""
    return get_opt_ml_mode() == MOUNTED


def can_mount_opt_ml() -> bool:
    """Return whether containers can have a root of their own."""
    return not find_mount_failure()


def explain_opt_ml_mode() -> str:
    """Return the reason why containers use the root of this computer; the empty string if they have their own root."""
    return f"{VARIABLE}={PATHS}" if os.environ.get(VARIABLE) == PATHS else find_mount_failure()


@functools.cache
def find_mount_failure() -> str:
    """Start Python in a root of its own with /opt/ml; return the reason of a failure, or the empty string."""
    if sys.platform != "linux":
        return "only Linux has mount namespaces"
    with tempfile.TemporaryDirectory() as folder:
        container = Container(Path(folder) / "ml", mounted=True)
        container.reset()
        program = f"import os, ssl; os.listdir({ML_ROOT + '/output'!r})"
        command = container.build_command([sys.executable, "-c", program], container.folder)
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if result.returncode == 0:
            return ""
        lines = result.stderr.strip().splitlines()
        return lines[-1] if lines else f"exit code {result.returncode}"
