"""Software of old framework images: the names that their scripts import."""

import os
import subprocess
import sys

import pytest

from sagemaker_sandbox.jobs.runtime.image_software import add_image_software

ACCOUNT = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
OLD_IMAGE = f"{ACCOUNT}/sagemaker-scikit-learn:0.20.0-cpu-py3"

SCRIPT = """
import numpy as np
import pandas as pd
from sagemaker_containers.beta.framework import content_types, encoders, env, modules, transformer, worker
from sklearn.externals import joblib
import joblib as current

assert joblib.dump is current.dump
assert np.array([1.7]).astype(np.int).tolist() == [1]
assert pd.get_dummies(pd.Series(["a", "b"])).to_csv(index=False) == "a,b\\n1,0\\n0,1\\n"
assert pd.get_dummies(pd.Series(["a"]), dtype=bool).iloc[0, 0] == True
rows = encoders.decode(encoders.encode(np.eye(2), content_types.CSV), content_types.CSV)
assert rows.tolist() == [[1, 0], [0, 1]]
response = worker.Response(encoders.encode(rows, content_types.JSON), accept=content_types.JSON)
assert (response.mimetype, response.get_json()) == (content_types.JSON, [[1, 0], [0, 1]])
"""


def test_a_script_of_an_old_image_finds_its_names() -> None:
    variables = add_image_software(OLD_IMAGE, {"PATH": os.environ["PATH"]})
    process = subprocess.run([sys.executable, "-c", SCRIPT], env=variables, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(
    ("image", "is_old"),
    [
        (OLD_IMAGE, True),
        (f"{ACCOUNT}/sagemaker-scikit-learn:1.2-1-cpu-py3", True),
        (f"{ACCOUNT}/sagemaker-scikit-learn:1.4-2-cpu-py3", False),
        (f"{ACCOUNT}/sagemaker-xgboost:1.7-1", True),
        (f"{ACCOUNT}/sagemaker-xgboost:3.0-5", False),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:0.20.0-cpu-py3", False),
    ],
)
def test_only_old_images_of_aws_have_old_names(image: str, is_old: bool) -> None:
    own = {"PYTHONPATH": "/opt/ml/code"}
    paths = add_image_software(image, own)["PYTHONPATH"].split(os.pathsep)
    assert (paths[0], len(paths)) == ("/opt/ml/code", 2 if is_old else 1)
