"""The SageMaker SDK's ModelBuilder as it is: a model built, deployed in each of the three ways, and asked."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, make_role, tar, until

pytestmark = pytest.mark.slow

BUCKET = "builder"
INFERENCE = """
import json, pathlib
def model_fn(folder): return json.loads((pathlib.Path(folder) / "model.json").read_text())["weight"]
def transform_fn(model, data, content_type, accept):
    return json.dumps({"answer": model * json.loads(data)["x"]}), "application/json"
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from sagemaker.core.helper.session_helper import Session

    with pytest.MonkeyPatch.context() as patch, Sandbox.start() as sandbox:
        for name, value in sandbox.environment.items():
            patch.setenv(name, value)
        make_role(sandbox)
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam = sandbox.client("iam")  # the SDK asks what its role may do
        iam.put_role_policy(RoleName="test", PolicyName="all", PolicyDocument=json.dumps(everything))
        s3 = sandbox.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": sandbox.region})
        s3.put_object(Bucket=BUCKET, Key="trained/model.tar.gz", Body=tar(**{"model.json": '{"weight": 2}'}))
        yield Session(default_bucket=BUCKET)


def is_in_service(endpoint: Any) -> bool:
    return bool(endpoint.refresh().endpoint_status == "InService")


def test_a_model_is_deployed_in_each_way_and_asked(session: Any, tmp_path: Path) -> None:
    store = session.boto_session.client("s3")
    from sagemaker.core.inference_config import AsyncInferenceConfig, ServerlessInferenceConfig
    from sagemaker.core.training.configs import SourceCode
    from sagemaker.serve import ModelBuilder

    (tmp_path / "inference.py").write_text(INFERENCE)
    ways: dict[str, dict[str, Any]] = {
        "real-time": {"instance_type": "ml.m5.large", "initial_instance_count": 1},
        "serverless": {"inference_config": ServerlessInferenceConfig(memory_size_in_mb=1024, max_concurrency=1)},
        "asynchronous": {
            "instance_type": "ml.m5.large",
            "initial_instance_count": 1,
            "inference_config": AsyncInferenceConfig(output_path=f"s3://{BUCKET}/answers"),
        },
    }
    endpoints: dict[str, Any] = {}
    for way, options in ways.items():
        builder = ModelBuilder(
            image_uri=IMAGE,
            s3_model_data_url=f"s3://{BUCKET}/trained/model.tar.gz",
            source_code=SourceCode(source_dir=str(tmp_path), entry_script="inference.py"),
            role_arn=ROLE,
            sagemaker_session=session,
        )
        builder.build()
        endpoints[way] = builder.deploy(endpoint_name=f"built-{way}", wait=False, **options)
    for endpoint in endpoints.values():  # the SDK itself looks every half minute
        until(partial(is_in_service, endpoint), seconds=60)
    for way in ("real-time", "serverless"):
        answer = endpoints[way].invoke(body='{"x": 3}', content_type="application/json")
        assert json.loads(answer.body.read()) == {"answer": 6}
        assert answer.invoked_production_variant == "AllTraffic"

    store.put_object(Bucket=BUCKET, Key="asked", Body='{"x": 4}')
    asked = {"input_location": f"s3://{BUCKET}/asked", "content_type": "application/json"}
    told = endpoints["asynchronous"].invoke_async(**asked).output_location.removeprefix(f"s3://{BUCKET}/")
    until(lambda: told in [one["Key"] for one in store.list_objects_v2(Bucket=BUCKET)["Contents"]])
    assert json.loads(store.get_object(Bucket=BUCKET, Key=told)["Body"].read()) == {"answer": 8}
