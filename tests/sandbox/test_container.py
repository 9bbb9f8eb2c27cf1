"""A container's own: a real /opt/ml where this machine allows it, paths in its place elsewhere, names of hosts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_sandbox.runtime import mounting
from sagemaker_sandbox.runtime.container import Container, assign_host_addresses
from sustainable_mlops.errors import UserError
from tests.sandbox.running import MOUNTED, WAYS


def printed(container: Container, script: str) -> str:
    container.reset()
    command = container.build_command(["sh", "-c", container.translate(script)], container.code)
    done = subprocess.run(command, capture_output=True, text=True, env=container.build_environment({}), check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_paths_in_a_request_lead_to_the_containers_folder(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", mounted=False)
    assert printed(container, "pwd; echo x > /opt/ml/model/it; ls --color=never /opt/ml/model/") == (
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


def test_instances_have_names_and_addresses_of_their_own(tmp_path: Path) -> None:
    hosts = assign_host_addresses(2)
    assert hosts == {"algo-1": "127.0.0.1", "algo-2": "127.0.0.2"}
    seen = [Container(tmp_path, mounted=mounted, host="algo-2", hosts=hosts) for mounted in (True, False)]
    assert [(container.host, container.hosts, container.number) for container in seen] == [
        ("algo-2", ["algo-1", "algo-2"], 1),
        ("127.0.0.2", ["127.0.0.1", "127.0.0.2"], 1),
    ]
    with pytest.raises(UserError, match="251 instances are more"):
        assign_host_addresses(251)


def test_a_command_that_is_not_there_is_127(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", mounted=False)
    container.reset()
    done = subprocess.run(
        container.build_command(["no-such-command"], container.code), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (127, b"no-such-command: No such file or directory\n")


def test_this_python_comes_first_and_nothing_of_the_machine_leaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    environment = Container(tmp_path, mounted=False).build_environment({"DATA": "/opt/ml/input"})
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["DATA"] == f"{tmp_path}/input"
    assert "SECRET_OF_THE_HOST" not in environment


def test_opt_ml_is_real_and_private_and_the_rest_of_opt_stays(tmp_path: Path) -> None:
    rights = {"own": [], "of a user namespace": ["setpriv", "--bounding-set", "-sys_admin"]} if MOUNTED in WAYS else {}
    for name, without in rights.items():
        container = Container(tmp_path / name / "ml", mounted=True, hosts=assign_host_addresses(2))
        container.reset()
        (container.config / "a").write_text("given")
        script = "pwd; id -u; echo x > /opt/ml/model/it; ls /opt; grep -c 'algo-2$' /etc/hosts; cat ../input/config/a"
        command = [
            *(without if os.geteuid() == 0 else []),
            *container.build_command(["sh", "-c", script], container.code),
        ]
        before = sorted(os.listdir("/opt"))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines[:2] == ["/opt/ml/code", str(os.geteuid())]
        assert lines[2:-2] == sorted({*before, "ml"})
        assert lines[-2:] == ["1", "given"]
        assert (container.model / "it").read_text() == "x\n"
        assert sorted(os.listdir("/opt")) == before
        assert "algo-2" not in Path("/etc/hosts").read_text()


def test_the_way_may_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mounting.VARIABLE, mounting.PATHS)
    assert mounting.get_opt_ml_mode() == "paths"
    assert not mounting.is_opt_ml_mounted()
    monkeypatch.delenv(mounting.VARIABLE)
    assert mounting.is_opt_ml_mounted() is mounting.can_mount_opt_ml()
