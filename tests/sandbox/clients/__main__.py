"""Scenarios of clients that this project does not write, on a sandbox. It prints a table of their calls.

    python -m tests.sandbox.clients [--build FOLDER] [--write] [CLIENT ...]

The clients are go, javascript, aws_cli, sdk_v2 and sdk_v3. Nothing is installed. The run skips a client whose packages
are missing, and prints the command that installs them. FOLDER holds the packages, `.local/clients` by default.
`--write` writes the rows to the table of docs/sandbox.md. Rows of other clients stay.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from sagemaker_sandbox import Sandbox

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TABLE = HERE / "table.md"
HEAD = ("| client | version | tried | works | refused clearly | misbehaves |", "|---|---|---:|---:|---:|---:|")
RESULTS = ("works", "refused", "misbehaves")
#: Errors that each client receives once, and after which it sends the request again.
FAULTS = {"s3:PutObject": "SlowDown", "CreateModel": "ThrottlingException", "InvokeEndpoint": "ServiceUnavailable"}
TRAIN = """
import os, pathlib
print("trained: loss=0.5")
pathlib.Path(os.environ["SM_MODEL_DIR"], "factor").write_text("3")
"""
INFERENCE = """
import os
def model_fn(folder): return os.environ.get("NAME", "none")
def input_fn(data, content_type): return data.decode() if isinstance(data, bytes) else data, content_type
def predict_fn(request, model):
    data, content_type = request
    if data == "fail": raise ValueError("as requested")
    return data.split() if content_type == "text/stream" else f"{data} {model}"
def output_fn(result, accept): return result if isinstance(result, str) else (part for part in result)
"""


@dataclass(frozen=True)
class Client:
    """One client: the packages, the command of its scenarios, and the command that prints its version."""

    title: str
    package: str  # file in the folder of packages that shows that they are installed
    install: str
    command: str
    version: str
    path: str = ""  # folder that precedes PATH
    copies: str = ""  # folder with the sources to copy to the packages
    build: str = ""


_GO_PACKAGES = (
    "{"
    + ",".join(
        f"service/{name}"
        for name in (
            "applicationautoscaling",
            "cloudwatch",
            "cloudwatchlogs",
            "eventbridge",
            "iam",
            "kms",
            "s3",
            "sagemaker",
            "sagemakerruntime",
            "sts",
        )
    )
    + ",config}"
)
_JS_PACKAGES = " ".join(
    f"@aws-sdk/{name}"
    for name in (
        "client-application-auto-scaling",
        "client-cloudwatch",
        "client-cloudwatch-logs",
        "client-eventbridge",
        "client-iam",
        "client-kms",
        "client-s3",
        "client-sagemaker",
        "client-sagemaker-featurestore-runtime",
        "client-sagemaker-runtime",
        "client-sts",
        "s3-request-presigner",
    )
)
CLIENTS = {
    "go": Client(
        "AWS SDK for Go v2",
        "go/go.mod",
        f"mkdir -p go && cd go && go mod init clients && go get github.com/aws/aws-sdk-go-v2/{_GO_PACKAGES}",
        "go/clients",
        "cd go && go list -m -f '{{.Version}}' github.com/aws/aws-sdk-go-v2/service/sagemaker",
        copies="go",
        build="cd go && go mod tidy && go build -o clients .",
    ),
    "javascript": Client(
        "AWS SDK for JavaScript v3",
        "javascript/node_modules",
        f"mkdir -p javascript && cd javascript && npm init -y && npm install {_JS_PACKAGES}",
        "node --no-warnings javascript/main.mjs",
        "node -p \"require('./javascript/node_modules/@aws-sdk/client-sagemaker/package.json').version\"",
        copies="javascript",
    ),
    "aws_cli": Client(
        "AWS CLI",
        "aws_cli/bin/aws",
        "python3 -m venv aws_cli && aws_cli/bin/pip install awscli awscrt",
        f"aws_cli/bin/python {HERE / 'aws_cli.py'}",
        "aws_cli/bin/aws --version | cut -d' ' -f1 | cut -d/ -f2",
        path="aws_cli/bin",
    ),
    "sdk_v2": Client(
        "SageMaker Python SDK v2",
        "sdk_v2/bin/python",
        "python3 -m venv sdk_v2 && sdk_v2/bin/pip install 'sagemaker<3'",
        f"sdk_v2/bin/python {HERE / 'sdk_v2.py'}",
        "sdk_v2/bin/python -c \"from importlib.metadata import version; print(version('sagemaker'))\"",
    ),
    "sdk_v3": Client(
        "SageMaker Python SDK v3",
        "sdk_v3/bin/python",
        "python3 -m venv sdk_v3 && sdk_v3/bin/pip install 'sagemaker>=3'",
        f"sdk_v3/bin/python {HERE / 'sdk_v3.py'}",
        "sdk_v3/bin/python -c \"from importlib.metadata import version; print(version('sagemaker'))\"",
    ),
}


@dataclass
class Outcome:
    """Calls of one client by result."""

    counts: Counter[str] = field(default_factory=Counter)
    others: list[str] = field(default_factory=list)  # lines of the calls that do not work


def write_archives(folder: Path) -> None:
    """Write source.tar.gz and model.tar.gz."""
    failing = 'raise SystemExit("no data")'
    for archive, files in {
        "source.tar.gz": {"train.py": TRAIN, "fail.py": failing},
        "model.tar.gz": {"code/inference.py": INFERENCE},
    }.items():
        with tarfile.open(folder / archive, "w:gz") as target:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                target.addfile(member, BytesIO(text.encode()))


def run_client(client: Client, name: str, folder: Path) -> Outcome:
    """Run the scenarios of one client on a new sandbox."""
    if client.copies:
        shutil.copytree(HERE / client.copies, folder / client.copies, dirs_exist_ok=True)
    if client.build:
        subprocess.run(["bash", "-c", client.build], cwd=folder, check=True)
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as files, Sandbox.start() as sandbox:
        write_archives(Path(files))
        for operation, error in FAULTS.items():
            sandbox.fault(operation, error=error, times=1)
        environment = sandbox.process_environment() | {"PYTHONPATH": str(ROOT)}
        environment["PATH"] = f"{folder / client.path}:{environment['PATH']}" if client.path else environment["PATH"]
        command = f"{client.command} {files} client-{name.replace('_', '-')}"
        process = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
        )
        pending = sandbox.faults()
    for line in process.stdout.splitlines():
        result, _, call = line.partition("\t")
        if result in RESULTS:
            outcome.counts[result] += 1
            if result != "works":
                outcome.others.append(f"{name}: {result}: {call}")
    if process.returncode or pending:
        outcome.counts["misbehaves"] += 1
        outcome.others.append(f"{name}: exit code {process.returncode}, errors that were not sent: {pending}")
    return outcome


def read_rows() -> dict[str, str]:
    """Return the rows of the written table by client."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()[len(HEAD) :] if TABLE.exists() else []
    return {line.split("|")[1].strip(): line for line in lines}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=", ".join(CLIENTS))
    parser.add_argument("--build", type=Path, default=ROOT / ".local" / "clients", metavar="FOLDER")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    folder = options.build.resolve()
    rows: dict[str, str] = {}
    for name in options.clients or CLIENTS:
        client = CLIENTS[name]
        if not (folder / client.package).exists():
            print(f"{name}: not installed. Run in {folder}: {client.install}")
            continue
        command = ["bash", "-c", client.version]
        version = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
        outcome = run_client(client, name, folder)
        print(*outcome.others, sep="\n")
        counts = " | ".join(str(outcome.counts[result]) for result in RESULTS)
        rows[client.title] = f"| {client.title} | {version} | {outcome.counts.total()} | {counts} |"
    print(*HEAD, *rows.values(), sep="\n")
    if options.write:
        rows = read_rows() | rows
        lines = [*HEAD, *(rows[client.title] for client in CLIENTS.values() if client.title in rows)]
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
