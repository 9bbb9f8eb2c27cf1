"""Files of this computer that a container with a root of its own can read: programs and libraries, and no data."""

import functools
import os
import site
import sys
from pathlib import Path

from sagemaker_sandbox.jobs.algorithms.images import MODULE_FOLDER

#: Folders of programs and libraries. Source: Filesystem Hierarchy Standard 3.0; the stores of Nix and Guix.
_SOFTWARE = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/nix/store", "/gnu/store", "/run/current-system"),
)
#: Entries of /etc without secrets: names, network, time zone, certificates, and the search for libraries.
_ETC = (
    *("alternatives", "group", "host.conf", "hostname", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime"),
    *("mime.types", "nsswitch.conf", "OpenCL", "os-release", "passwd", "protocols", "resolv.conf", "services"),
    *("fonts", "timezone", "ca-certificates", "ssl/certs", "ssl/cert.pem", "ssl/openssl.cnf"),
    *("pki/ca-trust/extracted", "pki/tls/certs", "pki/tls/cert.pem", "pki/tls/openssl.cnf", "crypto-policies"),
)
#: Further files, which the server adds.
_extra_files: set[Path] = set()


def show_file(path: Path) -> None:
    """Make a file visible to the containers that start from now on."""
    _extra_files.add(path)


def list_visible_paths() -> list[str]:
    """Return the paths, without those below another one."""
    paths = {*_list_software(), *_extra_files}
    return sorted(str(path) for path in paths if paths.isdisjoint(path.parents))


@functools.cache
def _list_software() -> frozenset[Path]:
    python = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, os.path.dirname(__file__)}
    python.add(str(MODULE_FOLDER))
    python |= {site.getusersitepackages()} if site.ENABLE_USER_SITE else set()
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    folders = {Path(path) for path in (*python, *libraries) if os.path.isabs(path)}
    optional = {path for path in Path("/opt").glob("*") if path.name != "ml"}
    software = {Path(path) for path in _SOFTWARE} | {Path("/etc", name) for name in _ETC} | optional
    return frozenset(
        path for path in software | folders | {path.resolve() for path in folders} if os.path.lexists(path)
    )
