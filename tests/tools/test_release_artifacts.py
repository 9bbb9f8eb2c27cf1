"""Release as one command builds it, installed and used as a stranger does: by pip, uvx, pipx, GitHub and pre-commit."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

import sustainable_mlops
from sustainable_mlops.base.terraform import ROOT
from tests.cloned_repository import Reader, git
from tests.docs.blocks import shell_blocks
from tests.review.comments import Service, environment, serve
from tests.review.test_ci_installed import STOPPED, Action, Shell
from tests.wheel import create_environment
from tools.release.references import ACTION_MIRROR, HOOK_MIRROR, read_address

pytestmark = [pytest.mark.slow, pytest.mark.release]

VERSION = sustainable_mlops.__version__
TAG = f"v{VERSION}"
PIPX = "pipx==1.18.4"


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a release that the documented command built in a clone."""
    reader = Reader(tmp_path_factory.mktemp("release") / "clone")
    # Set-up makes a folder, which git ignores; a reader of the tests has a link in its place.
    (reader.folder / ".git" / "info" / "exclude").write_text(".venv\n")
    printed = reader.paste(f".venv/bin/python -m tools.release {VERSION} --output out/release")
    assert "Nothing is published." in printed
    assert git(reader.folder, "status", "--porcelain") == "", "the build changes the tree"
    return reader.folder / "out" / "release"


@pytest.fixture
def stranger(tmp_path: Path) -> Shell:
    """Return a shell with a plan that a review stops, and without this checkout on its paths."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "plan.json").write_bytes(STOPPED)
    return Shell(folder)


def find_wheel(release: Path) -> Path:
    (wheel,) = (release / "dist").glob("*.whl")
    return wheel


def find_checkout(release: Path, name: str, folder: Path) -> Path:
    git(folder, "clone", "-q", "--branch", TAG, str(release / "mirrors" / f"{name}.git"), name)
    return folder / name


def check_stopped(process: subprocess.CompletedProcess[str]) -> None:
    assert process.returncode == 1, process.stderr
    assert process.stdout.lstrip().startswith("Stop: data at risk"), process.stdout


def test_a_release_has_packages_sbom_checksums_and_notes(release: Path) -> None:
    lines = (release / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sums.keys() == {
        f"sustainable_mlops-{VERSION}-py3-none-any.whl",
        f"sustainable_mlops-{VERSION}.tar.gz",
        f"sustainable-mlops-{VERSION}.cdx.json",
        f"sustainable-mlops-{VERSION}-extras.cdx.json",
    }
    for name, digest in sums.items():
        (file,) = (one for folder in (release, release / "dist") if (one := folder / name).exists())
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    with zipfile.ZipFile(find_wheel(release)) as wheel:
        metadata = message_from_bytes(wheel.read(f"sustainable_mlops-{VERSION}.dist-info/METADATA"))
    assert metadata["Version"] == VERSION
    assert f"Repository, {read_address(ROOT)}" in (metadata.get_all("Project-URL") or [])
    assert f"({read_address(ROOT)}/blob/{TAG}/docs/review.md)" in metadata.get_payload()
    with tarfile.open(release / "dist" / f"sustainable_mlops-{VERSION}.tar.gz") as sources:
        top = {name.split("/")[1] for name in sources.getnames()}
    assert {"LICENSE", "README.md", "sustainable_mlops", "sagemaker_sandbox"} <= top
    assert not top & {"tests", "envs", ".github"}
    base, extras = (read_sbom(release, name) for name in ("", "-extras"))
    assert {"boto3", "pydantic", "typer"} <= base
    assert base < extras
    packages = (item for extra in read_optional_dependencies().values() for item in extra)
    assert {normalize(re.split(r"[^\w.-]", package)[0]) for package in packages} <= extras
    assert (
        f"terraform-aws-sustainable-mlops.git//modules/storage?ref={TAG}" in (release / "RELEASE_NOTES.md").read_text()
    )


def read_sbom(release: Path, suffix: str) -> set[str]:
    """Return the names of the components of an SBOM, which has the form of CycloneDX and no path of this computer."""
    bom = json.loads((release / f"sustainable-mlops-{VERSION}{suffix}.cdx.json").read_text())
    component = bom["metadata"]["component"]
    assert (bom["bomFormat"], component["name"], component["version"]) == ("CycloneDX", "sustainable-mlops", VERSION)
    assert str(release.parent.parent) not in json.dumps(bom)
    return {normalize(component["name"]) for component in bom["components"]}


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_optional_dependencies() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies: dict[str, list[str]] = project["optional-dependencies"]
    return dependencies


def test_the_workflow_checks_the_published_files(release: Path, tmp_path: Path) -> None:
    (tmp_path / "release").symlink_to(release)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    commands = [step["run"] for step in workflow["jobs"]["attest"]["steps"] if "SHA256SUMS" in step.get("run", "")]
    for command in commands:
        process = subprocess.run(["bash", "-ec", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
    assert process.stdout.count(": OK\n") == 4


def test_pip_installs_the_wheel_and_the_source_archive(release: Path, stranger: Shell, tmp_path: Path) -> None:
    for package in sorted((release / "dist").iterdir()):
        venv = create_environment(tmp_path / package.suffix, "-c", ROOT / "constraints.txt", package)
        check_stopped(stranger.run(f"{venv}/bin/smlops review plan.json"))


def find_uvx() -> Path:
    return Path(shutil.which("uvx", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "uvx")


def test_uvx_reviews_without_installing(release: Path, stranger: Shell) -> None:
    # A folder of packages stands for PyPI.
    source = f"--find-links {release / 'dist'} --from sustainable-mlops=={VERSION}"
    check_stopped(stranger.run(f"{find_uvx()} --quiet {source} smlops review plan.json"))


def test_the_commands_of_the_page_install_the_tag_by_pipx_and_review_by_uvx(
    release: Path, stranger: Shell, tmp_path: Path
) -> None:
    origin = tmp_path / "origin.git"
    git(tmp_path, "clone", "-q", "--bare", str(release.parent.parent), str(origin))
    git(origin, "tag", TAG)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "uvx").symlink_to(find_uvx())
    stranger.paths += [bin_folder, create_environment(tmp_path / "pipx", PIPX) / "bin"]
    stranger.variables |= {
        "PIPX_HOME": str(tmp_path / "home_of_pipx"),
        "PIPX_BIN_DIR": str(bin_folder),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"{read_address(ROOT)}.git",
    }
    (block,) = shell_blocks("tests/tools/test_release_artifacts.py")
    *install, review = block.commands
    installed = stranger.run("\n".join(install))
    assert installed.returncode == 0, installed.stderr
    assert "bash completion installed" in installed.stdout
    check_stopped(stranger.run(review))
    check_stopped(stranger.run("smlops review plan.json"))


def test_the_action_of_the_mirror_reviews_and_comments(release: Path, stranger: Shell, tmp_path: Path) -> None:
    mirror = find_checkout(release, ACTION_MIRROR, tmp_path)
    with serve() as service:
        stranger.variables |= environment("github", service)
        action = Action(stranger, mirror, {"plan": "plan.json"})
        assert yaml.safe_load((mirror / "action.yml").read_text()) == action.action
        for step in ("Install", "Review", "Comment"):
            process = action.run(step)
            assert process.returncode == 0, process.stderr
        (comment,) = Service.comments
    assert action.known["steps.review.outputs.verdict"] == "stop"
    assert action.run("Verdict").returncode == 1
    assert "Data at risk" in comment["body"]


def test_the_hook_of_the_mirror_stops_a_push(release: Path, stranger: Shell) -> None:
    example = (ROOT / "docs/ci/pre-commit-config.yaml").read_text()
    siblings = read_address(ROOT).rpartition("/")[0]
    assert f"{siblings}/{HOOK_MIRROR}.git" in example
    assert f"rev: {TAG}" in example
    theirs = stranger.folder
    (theirs / ".pre-commit-config.yaml").write_text(example.replace(siblings, (release / "mirrors").as_uri()))
    (theirs / ".gitignore").write_text("plan.json\n")
    git(theirs, "init", "-q", "-b", "main")
    git(theirs, "add", "-A")
    git(theirs, "commit", "-q", "-m", "all")
    git(theirs, "init", "-q", "--bare", "../remote.git")
    stranger.paths.insert(0, ROOT / ".venv" / "bin")
    (command,) = re.findall(r"^#\s+(pre-commit install.*)$", example, re.M)
    assert stranger.run(command).returncode == 0
    pushed = stranger.run("git push ../remote.git main")
    assert pushed.returncode == 1
    assert "Data at risk" in pushed.stdout + pushed.stderr


def test_the_commands_of_the_containerfile_build_a_reviewer_for_a_user_without_rights(
    release: Path, stranger: Shell, tmp_path: Path
) -> None:
    text = (ROOT / "Containerfile").read_text()
    build, final = re.split(r"^FROM .*$", text, flags=re.M)[1:]
    assert re.search(r"^USER \d{4,}$", final, re.M)
    # Its context has only what .dockerignore allows.
    context = tmp_path / "context"
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [name for line in re.findall(r"^COPY (?!--from)(.*)$", build, re.M) for name in line.split()[:-1]]
    assert sorted(copied) == sorted(allowed)
    for name in copied:
        source = release.parent.parent / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        context.mkdir(exist_ok=True)
        copy(source, context / name)
    environment = tmp_path / "smlops"
    commands = [line.replace("/opt/smlops", str(environment)) for line in re.findall(r"^RUN (.*)$", build, re.M)]
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    for command in commands:
        built = stranger.run(f"cd {context} && {re.sub('^python ', f'{python} ', command)}")
        assert built.returncode == 0, built.stderr
    stranger.paths.insert(0, environment / "bin")
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", final, re.M)
    check_stopped(stranger.run(f"{json.loads(entry)[0]} review plan.json"))
