"""Whether containers get a real /opt/ml here: Linux, and the right to make a mount namespace, as root or as anybody."""

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sagemaker_sandbox.runtime.container import ML_ROOT, Container

#: Set to `paths` where /opt/ml is to be translated though it could be mounted.
VARIABLE = "SANDBOX_OPT_ML"
MOUNTED, PATHS = "mounted", "paths"


def get_opt_ml_mode() -> str:
    """How containers see /opt/ml on this machine: `mounted` in a namespace of their own, or by translated `paths`."""
    return MOUNTED if os.environ.get(VARIABLE) != PATHS and can_mount_opt_ml() else PATHS


def is_opt_ml_mounted() -> bool:
    """Whether /opt/ml is real."""
    return get_opt_ml_mode() == MOUNTED


@functools.cache
def can_mount_opt_ml() -> bool:
    """Try it: a process that finds in /opt/ml what was put into the folder."""
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as folder:
        container = Container(Path(folder) / "ml", mounted=True)
        container.reset()
        command = container.build_command(["test", "-d", f"{ML_ROOT}/output"], container.folder)
        try:
            done = subprocess.run(command, capture_output=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0
