"""Launcher of a program in a container: the work between fork and exec.

Usage: python launch.py SETTINGS PROGRAM [ARGUMENT…]

SETTINGS is JSON. `parent` is the process with which the program ends (Linux). `workdir` is the working directory. With
`root`, a folder, the program has a root of its own in a new mount namespace, and no privileges: `visible` are the files
and folders of this computer that it can read, `opt_ml` is the folder at /opt/ml, and `hosts` are addresses by name.

This is a separate step because `preexec_fn` is unsafe in a process with threads. It uses the standard library only.
"""

import ctypes
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>; survives execve, but not a change of user namespace
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38  # <linux/prctl.h>
CAPABILITY_VERSION = 0x2008_0522  # <linux/capability.h>: header of two numbers, data of six
CLONE_NEWNS, CLONE_NEWUSER = 0x0002_0000, 0x1000_0000  # <linux/sched.h>
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x4_0000  # <linux/mount.h>
MNT_DETACH = 2  # <sys/mount.h>
#: Options of a mount that a new user namespace must keep, by their names in /proc/self/mountinfo.
KEPT_OPTIONS = {
    "nosuid": 0x2,
    "nodev": 0x4,
    "noexec": 0x8,
    "noatime": 0x400,
    "nodiratime": 0x800,
    "relatime": 0x20_0000,
}
#: Devices of a program: those that every program expects, and accelerators.
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "nvidia*", "dri", "kfd", "dxg", "neuron*", "accel")
DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}


def main() -> None:
    """Set up the container, then execute the program. Exit with 127 if the program does not exist."""
    settings, command = json.loads(sys.argv[1]), sys.argv[2:]
    if "root" in settings:
        _enter_namespace()
        _build_root(Path(settings["root"]), settings["visible"])
        _mount_opt_ml(Path(settings["root"]), settings["opt_ml"])
        _add_hosts(Path(settings["root"]), settings["hosts"])
        _enter_root(settings["root"])
        _drop_privileges()
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

    Without the permission to create a namespace, create a user namespace with it, and keep the user and group IDs.
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


def _build_root(root: Path, visible: "list[str]") -> None:
    """Fill `root` with the visible paths, which become read-only, and with new folders for temporary files."""
    root.mkdir(parents=True, exist_ok=True)
    _mount(str(root), str(root), None, MS_BIND)
    devices = [str(device) for name in DEVICES for device in Path("/dev").glob(name)]
    for path in (*visible, *devices, "/proc", "/sys"):
        _show_path(Path(path), root)
    for point, flags in _list_mounts(root):
        _mount("none", point, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)
    _add_writable_layers(root, [path for path in visible if not path.startswith("/etc/")])
    for name, target in DEVICE_LINKS.items():
        _create_link(root / "dev" / name, target)
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108 of the program alone
        _join_root(root, Path(folder)).mkdir(parents=True, exist_ok=True)
        _join_root(root, Path(folder)).chmod(0o1777)
    _mount("tmpfs", str(root / "dev/shm"), "tmpfs", 0, "mode=1777")
    with suppress(OSError):  # a home inside a visible folder that is read-only
        _join_root(root, Path("/", os.environ.get("HOME", ""))).mkdir(parents=True, exist_ok=True)


def _join_root(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _show_path(path: Path, root: Path) -> None:
    """Make a file, a folder with its content, or a symbolic link visible below `root`."""
    target = _join_root(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() and target.parent != root / "etc":  # files in /etc may be links to folders that are hidden
        _create_link(target, os.readlink(path))
        return
    if not path.exists():
        return
    if path.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    _mount(str(path), str(target), None, MS_BIND | MS_REC)


def _create_link(path: Path, target: str) -> None:
    if not path.is_symlink():
        path.symlink_to(target)


def _list_mounts(root: Path) -> "list[tuple[str, int]]":
    """Return the mounts below `root`, each with its options as flags."""
    mounts = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point, options = line.split()[4:6]
        point = point.encode().decode("unicode_escape").encode("latin-1").decode()  # octal escapes of single bytes
        if point.startswith(f"{root}/"):
            mounts.append((point, sum(KEPT_OPTIONS.get(option, 0) for option in options.split(","))))
    return mounts


def _add_writable_layers(root: Path, folders: "list[str]") -> None:
    """Make folders of software writable for the program. The changes stay in memory, and end with the program.

    A folder stays read-only if this computer has no overlay file system, or has other mounts in the folder.
    """
    points = [point for point, _ in _list_mounts(root)]
    layers = root / ".layers"
    layers.mkdir(exist_ok=True)
    _mount("tmpfs", str(layers), "tmpfs", 0, "mode=755")
    for number, folder in enumerate(folders):
        target = str(_join_root(root, Path(folder)))
        if target not in points or any(point.startswith(f"{target}/") for point in points) or set(":,\\") & set(target):
            continue
        upper, work = layers / f"{number}", layers / f"{number}.work"
        upper.mkdir()
        work.mkdir()
        shutil.copystat(target, upper)
        with suppress(OSError):  # userxattr: a user namespace cannot set other attributes
            _mount("overlay", target, "overlay", 0, f"lowerdir={target},upperdir={upper},workdir={work},userxattr")
    _call("umount2", str(layers).encode(), MNT_DETACH)
    layers.rmdir()


def _mount_opt_ml(root: Path, folder: str) -> None:
    (root / "opt/ml").mkdir(parents=True, exist_ok=True)
    _mount(folder, str(root / "opt/ml"), None, MS_BIND | MS_REC)


def _add_hosts(root: Path, hosts: "dict[str, str]") -> None:
    """Write an /etc/hosts that includes the instances of the job."""
    known = Path("/etc/hosts").read_text() if Path("/etc/hosts").is_file() else ""
    (root / "etc/hosts").write_text("\n".join([known, *(f"{hosts[name]} {name}" for name in hosts), ""]))


def _enter_root(root: str) -> None:
    """Make `root` the root of the namespace, and remove the previous root."""
    os.chdir(root)
    _call("pivot_root", b".", b".")
    _call("umount2", b".", MNT_DETACH)
    os.chdir("/")


def _drop_privileges() -> None:
    """Drop all capabilities, and every way to regain them. The user stays the same."""
    libc, number = ctypes.CDLL(None), 0
    while libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0) == 0:  # until the last capability
        number += 1
    _call("prctl", PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0)
    _call("capset", (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())


if __name__ == "__main__":
    main()
