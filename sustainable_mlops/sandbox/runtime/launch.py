"""Become another program, in a process that the kernel kills when its parent dies (Linux; elsewhere a plain exec).

Usage: python launch.py PARENT_PID PROGRAM [ARGUMENT…]

A step between fork and exec instead of `preexec_fn`, which is unsafe in a process with threads. Standard library only.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>; survives execve


def main() -> None:
    """Tie this process to its parent, then execute the program."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # it died before the line above
            sys.exit(1)
    os.execv(program, sys.argv[2:])  # noqa: S606 - no shell is what we want


if __name__ == "__main__":
    main()
