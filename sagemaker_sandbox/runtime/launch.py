"""Launcher of a program in a container: the work between fork and exec.

Usage: python launch.py SETTINGS PROGRAM [ARGUMENT…]

SETTINGS is JSON. `parent` is the process with which the program ends (Linux). `opt_ml` is the folder to mount at
/opt/ml, and `hosts` are addresses by name, both in a separate mount namespace. `workdir` is the working directory.

This is a separate step because `preexec_fn` is unsafe in a process with threads. It uses the standard library only.
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
    """Set up the container, then execute the program. Exit with 127 if the program does not exist."""
    settings, command = json.loads(sys.argv[1]), sys.argv[2:]
    if "opt_ml" in settings:
        _enter_namespace()
        _mount_opt_ml(settings["opt_ml"])
        _add_hosts(settings["hosts"], Path(f"{settings['opt_ml']}.hosts"))
    os.chdir(settings["workdir"])
    if settings["parent"] is not None and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != settings["parent"]:  # the parent ended before the line above
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell intended
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
    """Enter a new mount namespace.

    Without the right to create one, create a user namespace with it, and keep the user and group ids.
    """
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
    """Mount `folder` at /opt/ml.

    If /opt/ml does not exist, replace /opt and mount all its previous content again.
    """
    source = os.open(folder, os.O_PATH)
    if not Path("/opt/ml").is_dir():
        entries = {entry.name: os.open(entry.path, os.O_PATH | os.O_NOFOLLOW) for entry in os.scandir("/opt")}
        _mount("tmpfs", "/opt", "tmpfs", 0, "mode=755")
        for name, entry in entries.items():
            _restore_entry(entry, Path("/opt") / name)
        Path("/opt/ml").mkdir()
    _mount(f"/proc/self/fd/{source}", "/opt/ml", None, MS_BIND | MS_REC)


def _restore_entry(entry: int, path: Path) -> None:
    mode = os.fstat(entry).st_mode
    if stat.S_ISLNK(mode):
        path.symlink_to(os.readlink("", dir_fd=entry))
        return
    if stat.S_ISDIR(mode):
        path.mkdir()
    else:
        path.touch()
    _mount(f"/proc/self/fd/{entry}", str(path), None, MS_BIND | MS_REC)


def _add_hosts(hosts: dict[str, str], extended: Path) -> None:
    """Mount an /etc/hosts that includes the instances of the job.

    The file is beside the folder of the container.
    """
    hosts_file = Path("/etc/hosts")
    if hosts_file.is_file():
        extended.write_text("\n".join([hosts_file.read_text(), *(f"{hosts[name]} {name}" for name in hosts), ""]))
        _mount(str(extended), str(hosts_file), None, MS_BIND)


if __name__ == "__main__":
    main()
