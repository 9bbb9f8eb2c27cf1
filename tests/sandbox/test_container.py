"""Containers: a real /opt/ml if this computer allows it, translated paths otherwise, and host names."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import ANY

import pytest

from sagemaker_sandbox.jobs.runtime import mounting
from sagemaker_sandbox.jobs.runtime.container import Container, assign_host_addresses
from sustainable_mlops.base.errors import UserError
from tests.sandbox.job_runs import MOUNTED, OPT_ML_MODES


def run_script(container: Container, script: str) -> str:
    container.reset()
    command = container.build_command(["sh", "-c", container.translate(script)], container.code)
    process = subprocess.run(command, capture_output=True, text=True, env=container.build_environment({}), check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_paths_in_a_request_lead_to_the_containers_folder(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", mounted=False)
    assert run_script(container, "pwd; echo x > /opt/ml/model/it; ls --color=never /opt/ml/model/") == (
        f"{container.code.resolve()}\nit\n"
    )
    for text in ("/opt/mlflow", "/srv/opt/ml/x", "s3://bucket/opt/ml", "/opt/ml-2"):
        assert container.translate(text) == text
    assert container.translate("--data=/opt/ml/a:/opt/ml") == f"--data={container.folder}/a:{container.folder}"
    assert container.to_container_path(container.model) == str(container.model)


@pytest.mark.parametrize("path", ["/home/me", "/opt/ml/../etc", "opt/ml/x", "/opt/mlx"])
def test_a_path_that_is_not_under_opt_ml_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UserError, match=r"LocalPath: .* is not under /opt/ml"):
        Container(tmp_path, mounted=False).to_local_path(path, "LocalPath")


def test_instances_have_separate_names_and_addresses(tmp_path: Path) -> None:
    hosts = assign_host_addresses(2)
    assert hosts == {"algo-1": "127.0.0.1", "algo-2": "127.0.0.2"}
    containers = [Container(tmp_path, mounted=mounted, host="algo-2", hosts=hosts) for mounted in (True, False)]
    assert [(container.host, container.hosts, container.number) for container in containers] == [
        ("algo-2", ["algo-1", "algo-2"], 1),
        ("127.0.0.2", ["127.0.0.1", "127.0.0.2"], 1),
    ]
    with pytest.raises(UserError, match="251 instances are more"):
        assign_host_addresses(251)


def test_a_missing_command_exits_with_127(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", mounted=False)
    container.reset()
    process = subprocess.run(
        container.build_command(["no-such-command"], container.code), capture_output=True, check=False
    )
    assert (process.returncode, process.stderr) == (127, b"no-such-command: No such file or directory\n")


def test_this_python_is_first_and_no_variable_of_the_machine_is_visible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    environment = Container(tmp_path, mounted=False).build_environment({"DATA": "/opt/ml/input"})
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["DATA"] == f"{tmp_path}/input"
    assert "SECRET_OF_THE_HOST" not in environment


def test_pip_accepts_the_packages_that_this_python_has_and_refuses_others(tmp_path: Path) -> None:
    environment = Container(tmp_path, mounted=False).build_environment({}) | {"PIP_FIND_LINKS": ""}

    def install(package: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pip", "install", "--upgrade", "--no-deps", "--dry-run", package]
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return process.returncode, process.stdout + process.stderr

    assert install("botocore>=1") == (0, ANY)
    code, output = install("no-such-package")
    assert (code, "No matching distribution found for no-such-package" in output) == (1, True)


#: Prefixes of a command, by the rights with which a container then gets its root.
RIGHTS: dict[str, list[str]] = {"own": [], "of a user namespace": ["setpriv", "--bounding-set", "-sys_admin"]}


def run_mounted(container: Container, script: str, prefix: Sequence[str] = ()) -> list[str]:
    """Return the lines that a shell script prints in a container with a root of its own."""
    command = container.build_command(["sh", "-c", script], container.code)
    process = subprocess.run(
        [*(prefix if os.geteuid() == 0 else []), *command],
        capture_output=True,
        text=True,
        env=container.build_environment({}),
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def test_opt_ml_is_real_and_private_and_the_rest_of_opt_stays(tmp_path: Path) -> None:
    for name, prefix in RIGHTS.items() if MOUNTED in OPT_ML_MODES else ():
        container = Container(tmp_path / name / "ml", mounted=True, hosts=assign_host_addresses(2))
        container.reset()
        (container.config / "a").write_text("given")
        script = "pwd; id -u; echo x > /opt/ml/model/it; ls /opt; grep -c 'algo-2$' /etc/hosts; cat ../input/config/a"
        before = sorted(os.listdir("/opt"))
        lines = run_mounted(container, script, prefix)
        assert lines[:2] == ["/opt/ml/code", str(os.geteuid())]
        assert lines[2:-2] == sorted({*before, "ml"})
        assert lines[-2:] == ["1", "given"]
        assert (container.model / "it").read_text() == "x\n"
        assert sorted(os.listdir("/opt")) == before
        assert "algo-2" not in Path("/etc/hosts").read_text()


#: Files of this computer that no container may read, in shell words; files that it may not write; and new files, which
#: exist in the container only.
HIDDEN = ('"$SECRET"', '"$SECRET_LINK"', "/etc/shadow", "/proc/1/environ", f"/proc/1/root{__file__}", __file__)
READ_ONLY = ("/etc/passwd", "/proc/sys/kernel/panic", "/sys/new")
OWN = (f"{sys.prefix}/new", "/usr/new")


def test_a_container_reads_no_file_of_this_machine_and_writes_only_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    script = "\n".join(
        [
            f"SECRET={secret}",
            "SECRET_LINK=/opt/ml/model/link",
            f"ln -s {secret} $SECRET_LINK",
            *(f"cat {path} 2>/dev/null && echo {shlex.quote(f'read {path}')}" for path in HIDDEN),
            *(f"(: >> {path}) 2>/dev/null && echo wrote {path}" for path in READ_ONLY),
            *(f"touch {path} 2>/dev/null" for path in OWN),
            f"ls {Path.home()}",
            "unshare --user --map-root-user --mount true 2>/dev/null && echo unshared",
            "grep ^Cap /proc/self/status | cut -f 2 | sort -u",
            "for folder in ~ / /tmp /var/tmp /dev/shm /opt/ml/model; do echo x > $folder/own && cat $folder/own; done",
            "head -c 4 /dev/zero | wc -c",
            "python -c 'import numpy, psutil, ssl; print(ssl.create_default_context() is not None)'",
        ]
    )
    for name, prefix in RIGHTS.items() if MOUNTED in OPT_ML_MODES else ():
        container = Container(tmp_path / name / "ml", mounted=True)
        container.reset()
        assert run_mounted(container, script, prefix) == ["0" * 16, *["x"] * 6, "4", "True"]
        assert not any(Path(path).exists() for path in (*OWN, Path.home() / "own"))
        container.reset()
        assert run_mounted(container, "ls /tmp; ls /opt/ml/model") == []


def test_the_access_to_opt_ml_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mounting.VARIABLE, mounting.PATHS)
    assert mounting.get_opt_ml_mode() == "paths"
    assert not mounting.is_opt_ml_mounted()
    assert mounting.explain_opt_ml_mode() == "SANDBOX_OPT_ML=paths"
    monkeypatch.delenv(mounting.VARIABLE)
    assert mounting.is_opt_ml_mounted() is mounting.can_mount_opt_ml()


def test_the_cause_of_a_failed_mount_is_the_last_line_of_its_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Container, "build_command", lambda *_: [sys.executable, "-c", "raise OSError('no mounts')"])
    assert mounting.find_mount_failure.__wrapped__() == ("OSError: no mounts" if sys.platform == "linux" else ANY)


@pytest.mark.parametrize("home", ["", "relative", "/proc/home"], ids=["empty", "relative", "read-only"])
def test_a_container_has_its_own_root_with_any_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("HOME", home)
    container = Container(tmp_path / "ml", mounted=True)
    container.reset()
    if MOUNTED in OPT_ML_MODES:
        assert run_mounted(container, "ls /opt/ml/model; pwd") == ["/opt/ml/code"]
