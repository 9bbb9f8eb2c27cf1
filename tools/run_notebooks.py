"""Runner of SageMaker notebooks on the sandbox. It prints the share of cells that ran, and each notebook's first error.

    smlops sandbox start --region us-east-1
    smlops sandbox exec -- python -m tools.run_notebooks FOLDER --python KERNEL_PYTHON

runs every notebook under FOLDER, one at a time, in a copy of FOLDER. The notebooks stay as they are. The kernel has the
credentials of a role, from which the SageMaker SDK takes the role and the account, and the sandbox's Region. Most
notebooks are written for us-east-1. A notebook ends at its first error. The sandbox is empty before each notebook.

KERNEL_PYTHON is a Python with ipykernel and the packages that the notebooks import, such as version 2 of the SageMaker
SDK. Each notebook has an environment of its own above this one, so packages that it installs or removes do not affect
other notebooks. It cannot replace the SageMaker SDK. Notebooks install packages only if NO_PROXY and no_proxy include
the index.

Notebooks with other requirements do not run: a GPU, data in buckets of AWS, data from the internet, another service or
people. A table of patterns, REQUIREMENTS, decides from the code of the notebook. `--all` runs them
too. `--list` prints the notebooks by requirement and runs none.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: Name of the kernel for Jupyter.
_KERNEL = "sandbox"
#: Image of the notebook's app, as a variable of Studio. Remote functions run in it.
_STUDIO_IMAGE = "885854791233.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:3.2.0-cpu"
#: Group of the notebooks that need only the sandbox.
RUNNABLE = "no other requirement"

#: Patterns in the code of a notebook, by requirement. The first match decides.
REQUIREMENTS = {
    "a GPU or accelerator": (
        r"\bml\.(p|g|inf|trn)\d|_gpu_count|gpu_(hist|device)|nvidia|NumberOfAcceleratorDevicesRequired"
    ),
    "data or models in buckets of AWS": (
        r"sagemaker-(sample|example)-|get_data_bucket|sagemaker-servicecatalog|jumpstart|JumpStart|aws-ml-blog|sagemaker-solutions|"
        r"s3[.-][a-z0-9.-]*amazonaws\.com|cloudfront\.net|registry\.opendata|public-datasets|aws-tc-largeobjects|"
        r"s3://(?!\{|\$|<|%)[a-z0-9.-]*(dataset|sample|example|public|open)|retail-demo-store|s3://(torchserve|dsoaws)/|"
        r"SOURCE_S3_PATH"
    ),
    "data from the internet": (
        r"\b(wget|curl) |urlretrieve|requests\.get|git clone|keras\.datasets|torchvision|load_dataset|from_pretrained|"
        r"fetch_(openml|20newsgroups|california)|transformers import pipeline|shap\.datasets|nltk\.download|"
        r"HF_MODEL_ID|tfds\.|https?://[^\s\"')]+\.(csv|zip|gz|tgz|data|tar|txt)\b"
    ),
    "values that a person fills in": (
        r"<\s*(YOUR|your|REPLACE|replace|ENTER|enter|Customer to|For [sS]eller)[^>\n]*>|getpass|input\(|"
        r"\b(sg|subnet)-x{4,}"
    ),
    "variables of another notebook": r"%store -r",
    "paths of a notebook instance": r"/home/ec2-user|[\"']/root[/\"']|/opt/ml/metadata",
    "people or a labeling service": r"ground-?truth|GroundTruth|labeling_job|workteam|a2i|flow_definition|HumanTaskUi",
    "another service of AWS": (
        r"sagemaker[-_]geospatial|marketplace|comprehend|rekognition|textract|translate\b.*client|polly|bedrock|"
        r"create_auto_ml|AutoML|automl|CandidateEstimator|lineage|create_mlflow|mlflow_tracking|emr|codebuild|codecommit|"
        r"codepipeline|stepfunctions|athena|redshift|create_monitoring_schedule|ModelBiasMonitor|MonitoringSchedule|"
        r"ModelExplainabilityMonitor|DefaultModelMonitor|ModelQualityMonitor|clarify|Clarify|inference_recommend|product_arns|awsglue"
    ),
    "Docker or another runtime": (
        r"docker |sm-docker|build_and_push|LocalSession|local_mode|instance_type\s*=\s*[\"']local|SparkML|"
        r"[pP]y[sS]park|feature_processor|%%local\b|NotebookJobStep|rpy2|%%R\b|RLEstimator|local_gpu"
    ),
    "TensorFlow, MXNet or another framework": (
        r"import (tensorflow|mxnet|keras|chainer|catboost|lightgbm|autogluon)|from (tensorflow|mxnet|keras|"
        r"sagemaker\.mxnet|sagemaker\.tensorflow|sagemaker\.chainer|sagemaker\.huggingface)|HuggingFace|sagemaker\.jax"
    ),
}


@dataclass(frozen=True)
class Notebook:
    """A notebook: its path under the folder, its code cells, and its requirement."""

    path: Path
    cells: tuple[str, ...]
    requirement: str


@dataclass(frozen=True)
class NotebookResult:
    """Result of one notebook: cells that ran, and the first error."""

    notebook: Notebook
    cells_run: int
    seconds: float
    error: str

    @property
    def is_complete(self) -> bool:
        """True if all cells ran."""
        return self.cells_run == len(self.notebook.cells)


def find_notebooks(folder: Path) -> Iterator[Notebook]:
    """Yield all Python notebooks with code under a folder, by path."""
    for path in sorted(folder.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            cells = tuple(source for cell in content.get("cells", ()) if (source := _read_code(cell)))
            language = content.get("metadata", {}).get("kernelspec", {}).get("language") or "python"
        except (ValueError, TypeError, KeyError, AttributeError):
            print(f"{path}: not a notebook", file=sys.stderr)
            continue
        if cells and language == "python":
            yield Notebook(path.relative_to(folder), cells, find_requirement("\n".join(cells)))


def _read_code(cell: dict[str, Any]) -> str:
    return "".join(cell["source"]).strip() if cell["cell_type"] == "code" else ""


def find_requirement(code: str) -> str:
    """Return the requirement of the code that the sandbox does not meet."""
    return next((name for name, pattern in REQUIREMENTS.items() if re.search(pattern, code)), RUNNABLE)


def prepare_sandbox() -> dict[str, str]:
    """Empty the sandbox, create the notebooks' role, and return its credentials as variables."""
    import boto3

    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    connection = HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=120)
    connection.request("POST", "/moto-api/reset")
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        raise RuntimeError(f"the sandbox at {endpoint.netloc} was not reset: status {status}")
    services = ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam = boto3.client("iam")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="notebook", Path="/service-role/", AssumeRolePolicyDocument=policy)["Role"]
    iam.put_role_policy(
        RoleName="notebook",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    session = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="SageMaker")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def write_constraints(python: str, file: Path) -> None:
    """Write the installed versions of the SageMaker SDK as constraints of pip."""
    packages = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    file.write_text("".join(f"{line}\n" for line in packages.splitlines() if re.match("sagemaker.*==", line)))


def create_environment(python: str, folder: Path) -> Path:
    """Create an empty environment that also has the packages of a Python. Return its folder of programs."""
    find_packages = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(find_packages, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([python, "-m", "venv", "--without-pip", "--clear", folder], check=True)
    own_packages = next(folder.glob("lib/python*/site-packages"))
    (own_packages / "kernel.pth").write_text(f"import site; site.addsitedir({packages!r})\n")
    programs = folder / "bin"
    for name in ("pip", "pip3"):
        (programs / name).write_text(f'#!/bin/sh\nexec "{programs}/python" -m pip "$@"\n')
        (programs / name).chmod(0o755)
    return programs


def install_kernel(python: str, folder: Path) -> dict[str, str]:
    """Describe the kernel in a folder, and return variables for the notebook's commands."""
    programs = create_environment(python, folder / "environment")
    kernel = folder / "kernels" / _KERNEL
    kernel.mkdir(parents=True, exist_ok=True)
    command = [str(programs / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": _KERNEL, "language": "python"}))
    path = os.pathsep.join([str(programs), str(Path(python).parent), os.environ.get("PATH", os.defpath)])
    return {"VIRTUAL_ENV": str(programs.parent), "PATH": path}


def run_notebook(notebook: Notebook, folder: Path, variables: dict[str, str], cell_seconds: int) -> NotebookResult:
    """Run a notebook of the copied folder until its first error."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    path = folder / notebook.path
    completed: list[int] = []
    start, error = time.monotonic(), ""
    try:
        content = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validator.normalize(content)
        content.cells = [cell for cell in content.cells if cell.cell_type == "code" and cell.source.strip()]
        client = NotebookClient(
            content,
            kernel_name=_KERNEL,
            timeout=cell_seconds,
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_executed=lambda cell_index, execute_reply, **_: (
                completed.append(cell_index) if execute_reply["content"]["status"] == "ok" else None
            ),
        )
        client.execute(env={**os.environ, **variables}, cwd=str(path.parent))
    except CellExecutionError as failure:
        error = f"{failure.ename}: {failure.evalue}"
    except CellTimeoutError:
        error = f"the cell took more than {cell_seconds} s"
    except DeadKernelError:
        error = "the kernel died"
    except Exception as failure:  # such as a notebook that nbformat cannot read: the other notebooks still run
        error = f"{type(failure).__name__}: {failure}"
    return NotebookResult(notebook, len(completed), time.monotonic() - start, error)


def format_run(run: NotebookResult) -> str:
    """Return one line of the table."""
    error = re.sub(r"\x1b\[[0-9;]*m", "", " ".join(run.error.split()))[:300]
    counts = f"{run.cells_run}/{len(run.notebook.cells)}"
    return f"{counts:>7}  {run.seconds:6.0f} s  {run.notebook.path}" + (f"\n{'':20}{error}" if error else "")


def summarize(runs: Sequence[NotebookResult]) -> Iterator[str]:
    """Yield one line for each requirement, and one for all."""
    groups: dict[str, list[NotebookResult]] = defaultdict(list)
    for run in runs:
        groups[run.notebook.requirement].append(run)
    for name, group in {**groups, "all": list(runs)}.items():
        cells_run, cells = sum(run.cells_run for run in group), sum(len(run.notebook.cells) for run in group)
        complete = sum(run.is_complete for run in group)
        share = 100 * cells_run / max(cells, 1)
        yield f"{name}: {cells_run} of {cells} cells ({share:.0f} %), {complete} of {len(group)} notebooks complete"


def print_list(notebooks: Sequence[Notebook]) -> None:
    """Print the notebooks by requirement."""
    for name in (RUNNABLE, *REQUIREMENTS):
        group = [notebook for notebook in notebooks if notebook.requirement == name]
        print(f"{name}: {len(group)} notebooks, {sum(len(notebook.cells) for notebook in group)} cells")
        for notebook in group:
            print(f"  {len(notebook.cells):4}  {notebook.path}")


def main() -> None:
    """Run the notebooks and print the tables. Exit with 1 if a notebook did not complete, with 2 if none matches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable, help="Python of the kernel")
    parser.add_argument("--only", default="", help="regular expression that the path must match")
    parser.add_argument("--cell-seconds", type=int, default=600, help="longest time of one cell")
    parser.add_argument("--all", action="store_true", help="also run notebooks that the sandbox does not support")
    parser.add_argument("--list", action="store_true", help="print the notebooks by requirement and run none")
    arguments = parser.parse_args()
    notebooks = [item for item in find_notebooks(arguments.folder) if re.search(arguments.only, str(item.path))]
    if arguments.list:
        print_list(notebooks)
        return
    if not arguments.all:
        notebooks = [notebook for notebook in notebooks if notebook.requirement == RUNNABLE]
    if not notebooks:
        parser.error("no notebook matches")
    if "AWS_ENDPOINT_URL" not in os.environ:
        sys.exit("AWS_ENDPOINT_URL is not set; run this under `smlops sandbox exec --`")
    runs = []
    with tempfile.TemporaryDirectory() as work:
        copy, constraints = Path(work) / "notebooks", Path(work) / "constraints.txt"
        shutil.copytree(arguments.folder, copy, symlinks=True)
        write_constraints(arguments.python, constraints)
        os.environ["JUPYTER_PATH"] = work
        for notebook in notebooks:
            variables = prepare_sandbox() | install_kernel(arguments.python, Path(work))
            variables |= {"PIP_CONSTRAINT": str(constraints), "SAGEMAKER_INTERNAL_IMAGE_URI": _STUDIO_IMAGE}
            runs.append(run_notebook(notebook, copy, variables, arguments.cell_seconds))
            print(format_run(runs[-1]), flush=True)
    print("\n".join(["", *summarize(runs)]))
    sys.exit(0 if all(run.is_complete for run in runs) else 1)


if __name__ == "__main__":
    main()
