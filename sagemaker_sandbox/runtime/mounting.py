"""Detection of a real /opt/ml for containers. It needs Linux and the right to create a mount namespace."""

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sagemaker_sandbox.runtime.container import ML_ROOT, Container

#: Environment variable; the value `paths` disables the mount of /opt/ml.
VARIABLE = "SANDBOX_OPT_ML"
MOUNTED, PATHS = "mounted", "paths"


def get_opt_ml_mode() -> str:
    """Return `mounted` if containers see /opt/ml in their own namespace, else `paths`."""
    return MOUNTED if os.environ.get(VARIABLE) != PATHS and can_mount_opt_ml() else PATHS


def is_opt_ml_mounted() -> bool:
    """Return True if containers see a real /opt/ml."""
    return get_opt_ml_mode() == MOUNTED


@functools.cache
def can_mount_opt_ml() -> bool:
    """Try to mount a folder at /opt/ml in a process; return True on success."""
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as folder:
        container = Container(Path(folder) / "ml", mounted=True)
        container.reset()
        command = container.build_command(["test", "-d", f"{ML_ROOT}/output"], container.folder)
        try:
            result = subprocess.run(command, capture_output=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return result.returncode == 0
