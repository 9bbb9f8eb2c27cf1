"""Containers: a real /opt/ml if this machine allows it, translated paths otherwise, and host names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_sandbox.runtime import mounting
from sagemaker_sandbox.runtime.container import Container, assign_host_addresses
from sustainable_mlops.errors import UserError
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


def test_opt_ml_is_real_and_private_and_the_rest_of_opt_stays(tmp_path: Path) -> None:
    rights = (
        {"own": [], "of a user namespace": ["setpriv", "--bounding-set", "-sys_admin"]}
        if MOUNTED in OPT_ML_MODES
        else {}
    )
    for name, prefix in rights.items():
        container = Container(tmp_path / name / "ml", mounted=True, hosts=assign_host_addresses(2))
        container.reset()
        (container.config / "a").write_text("given")
        script = "pwd; id -u; echo x > /opt/ml/model/it; ls /opt; grep -c 'algo-2$' /etc/hosts; cat ../input/config/a"
        command = [
            *(prefix if os.geteuid() == 0 else []),
            *container.build_command(["sh", "-c", script], container.code),
        ]
        before = sorted(os.listdir("/opt"))
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
        lines = process.stdout.splitlines()
        assert lines[:2] == ["/opt/ml/code", str(os.geteuid())]
        assert lines[2:-2] == sorted({*before, "ml"})
        assert lines[-2:] == ["1", "given"]
        assert (container.model / "it").read_text() == "x\n"
        assert sorted(os.listdir("/opt")) == before
        assert "algo-2" not in Path("/etc/hosts").read_text()


def test_the_access_to_opt_ml_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mounting.VARIABLE, mounting.PATHS)
    assert mounting.get_opt_ml_mode() == "paths"
    assert not mounting.is_opt_ml_mounted()
    monkeypatch.delenv(mounting.VARIABLE)
    assert mounting.is_opt_ml_mounted() is mounting.can_mount_opt_ml()
