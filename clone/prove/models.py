"""Models of the run: small archives that answer with their name, fail, or do not load."""

import io
import tarfile
from typing import Any

from clone.prove.context import ProofRun
from sustainable_mlops.jobs.image import find_image_address
from sustainable_mlops.jobs.specs.common import FrameworkImage

#: Versions of the framework whose images the catalogue of the SageMaker SDK has for x86 and for Graviton.
_X86, _GRAVITON = "1.2-1", "1.0-1"
#: The four functions that a framework container calls, in Python 3.8.
_CODE = """
import json
import time


def model_fn(model_dir):
    return {response!r}


def input_fn(body, content_type):
    return json.loads(body)


def predict_fn(request, model):
    time.sleep(request.get("sleep", 0))
    return model


def output_fn(prediction, accept):
    return json.dumps(prediction)
"""
_FAILS = _CODE.replace("    return model\n", '    raise RuntimeError("a bad model")\n')
_DOES_NOT_LOAD = _CODE.replace("    return {response!r}\n", '    raise RuntimeError("a model that does not load")\n')
#: Name of the model that answers with an error, and of the one that does not start.
FAILS, DOES_NOT_LOAD = "fails", "does-not-load"
MODELS = {"first": _CODE, "second": _CODE, FAILS: _FAILS, DOES_NOT_LOAD: _DOES_NOT_LOAD}
#: Variables that lead framework containers to the code in the archive.
ENVIRONMENT = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    "SAGEMAKER_MODEL_SERVER_TIMEOUT": "3600",
}


def build_archive(name: str) -> bytes:
    """Return the archive of one of the models."""
    text = MODELS[name].format(response=name).encode()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as files:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(text)
        files.addfile(member, io.BytesIO(text))
    return content.getvalue()


def format_address(run: ProofRun, name: str) -> str:
    """Return the S3 URI of one of the models."""
    return f"s3://{run.get_bucket_name('artifacts')}/{_format_key(run, name)}"


def _format_key(run: ProofRun, name: str) -> str:
    return f"models/{run.name}/{name}/model.tar.gz"


def upload_archives(run: ProofRun) -> None:
    """Put all models into the artifacts bucket."""
    for name in MODELS:
        run.put("artifacts", _format_key(run, name), build_archive(name))


def find_image(region: str, instance_type: str, *, graviton: bool = False) -> str:
    """Return AWS's scikit-learn image for serving and for jobs."""
    version = _GRAVITON if graviton else _X86
    return find_image_address(
        FrameworkImage(framework="sklearn", version=version), region, instance_type, scope="inference"
    )


def build_container(run: ProofRun, name: str, *, graviton_type: str = "") -> dict[str, Any]:
    """Return an endpoint module's inputs for one of the models, on instances of `graviton_type`."""
    return {
        "image_uri": find_image(run.settings.region, graviton_type or "ml.m5.large", graviton=bool(graviton_type)),
        "model_data_url": format_address(run, name),
        "environment_variables": ENVIRONMENT,
    }
