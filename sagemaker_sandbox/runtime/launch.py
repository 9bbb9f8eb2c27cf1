"""Become another program, inside a container: what has to happen between fork and exec.

Usage: python launch.py SETTINGS PROGRAM [ARGUMENT…]

SETTINGS is JSON: `parent`, the process with which the program is to die (Linux); `opt_ml`, the folder to mount at
/opt/ml, and `hosts`, addresses by name, in a mount namespace of its own; `workdir`, where to start.

A step of its own instead of `preexec_fn`, which is unsafe in a process with threads. Standard library only.
"""

import ctypes
import json
import os
import signal
import stat
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>; survives execve, but not a change of user namespace
CLONE_NEWNS, CLONE_NEWUSER = 0x0002_0000, 0x1000_0000  # <linux/sched.h>
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x4_0000  # <linux/mount.h>


def main() -> None:
    """Set the container up, then execute the program; 127 where there is none."""
    settings, command = json.loads(sys.argv[1]), sys.argv[2:]
    if "opt_ml" in settings:
        _enter_namespace()
        _mount_opt_ml(settings["opt_ml"])
        _name_hosts(settings["hosts"], Path(f"{settings['opt_ml']}.hosts"))
    os.chdir(settings["workdir"])
    if settings["parent"] is not None and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != settings["parent"]:  # it died before the line above
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is what we want
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = [text.encode() if text is not None else None for text in (source, target, kind)]
    _call("mount", *encoded, ctypes.c_ulong(flags), data.encode() if data is not None else None)


def _enter_namespace() -> None:
    """A mount namespace; who may not make one alone makes a user namespace with it, and stays who he is in it."""
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", CLONE_NEWNS)
    except PermissionError:
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount("none", "/", None, MS_REC | MS_PRIVATE)


def _mount_opt_ml(folder: str) -> None:
    """`folder` at /opt/ml. Where there is no such folder, /opt is replaced, and all that was in it mounted again."""
    source = os.open(folder, os.O_PATH)
    if not Path("/opt/ml").is_dir():
        kept = {entry.name: os.open(entry.path, os.O_PATH | os.O_NOFOLLOW) for entry in os.scandir("/opt")}
        _mount("tmpfs", "/opt", "tmpfs", 0, "mode=755")
        for name, entry in kept.items():
            _mount_again(entry, Path("/opt") / name)
        Path("/opt/ml").mkdir()
    _mount(f"/proc/self/fd/{source}", "/opt/ml", None, MS_BIND | MS_REC)


def _mount_again(entry: int, path: Path) -> None:
    mode = os.fstat(entry).st_mode
    if stat.S_ISLNK(mode):
        path.symlink_to(os.readlink("", dir_fd=entry))
        return
    if stat.S_ISDIR(mode):
        path.mkdir()
    else:
        path.touch()
    _mount(f"/proc/self/fd/{entry}", str(path), None, MS_BIND | MS_REC)


def _name_hosts(hosts: dict[str, str], extended: Path) -> None:
    """An /etc/hosts that knows the job's instances, from a file beside the container's folder."""
    known = Path("/etc/hosts")
    if known.is_file():
        extended.write_text("\n".join([known.read_text(), *(f"{hosts[name]} {name}" for name in hosts), ""]))
        _mount(str(extended), str(known), None, MS_BIND)


if __name__ == "__main__":
    main()
