"""Endpoints of every kind through ModelBuilder of the unmodified SageMaker SDK."""

import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.jobs.runtime import mounting
from tests.sandbox.sdk import BUCKET
from tests.sandbox.sdk import sdk_sandbox as sdk_sandbox
from tests.sandbox.sdk import session as session
from tests.sandbox.support import IMAGE, ROLE, WAIT_SECONDS, create_tar, wait_until

pytestmark = pytest.mark.slow

SCALE = """
import json, os, pathlib
def model_fn(folder):
    return json.loads(pathlib.Path(folder, "factor").read_text())
def transform_fn(model, data, content_type, accept):
    return json.dumps([model * value for value in json.loads(data)]), "application/json"
"""


@pytest.fixture(autouse=True)
def shorten_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the polling interval of ModelBuilder, which is 30 s."""
    from sagemaker.core.helper import session_helper

    monkeypatch.setattr(session_helper, "EP_LOGGER_POLL", 0.5)


def create_builder(factor: int, sdk_sandbox: Sandbox, session: Any, folder: Path) -> Any:
    """Return a builder for a model archive without code, and a folder with the code."""
    from sagemaker.serve import ModelBuilder
    from sagemaker.train.configs import SourceCode

    key = f"factors/{factor}/model.tar.gz"
    sdk_sandbox.client("s3").put_object(Bucket=BUCKET, Key=key, Body=create_tar(factor=str(factor)))
    (folder / "inference.py").write_text(SCALE)
    return ModelBuilder(
        image_uri=IMAGE,
        s3_model_data_url=f"s3://{BUCKET}/{key}",
        source_code=SourceCode(source_dir=str(folder), entry_script="inference.py"),
        role_arn=ROLE,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )


def invoke(endpoint: Any, *values: int) -> Any:
    response = endpoint.invoke(body=json.dumps(values), content_type="application/json", accept="application/json")
    return json.loads(response.body.read())


def delete_endpoint(sdk_sandbox: Sandbox, endpoint: Any) -> None:
    """Delete an endpoint and wait until it is gone."""
    endpoint.delete()
    endpoint.wait_for_delete(poll=1, timeout=WAIT_SECONDS)
    remaining = sdk_sandbox.client("sagemaker").list_endpoints(NameContains=endpoint.endpoint_name)
    assert remaining["Endpoints"] == []


def test_the_sdk_deploys_a_serverless_endpoint(sdk_sandbox: Sandbox, session: Any, tmp_path: Path) -> None:
    from sagemaker.core.inference_config import ServerlessInferenceConfig

    builder = create_builder(3, sdk_sandbox, session, tmp_path)
    builder.build()
    settings = ServerlessInferenceConfig(memory_size_in_mb=1024, max_concurrency=2, provisioned_concurrency=1)
    endpoint = builder.deploy(endpoint_name="serverless", inference_config=settings)
    assert invoke(endpoint, 1, 2) == [3, 6]
    (variant,) = endpoint.production_variants
    assert variant.current_serverless_config.provisioned_concurrency == 1
    delete_endpoint(sdk_sandbox, endpoint)


def test_the_sdk_deploys_and_updates_a_real_time_endpoint(sdk_sandbox: Sandbox, session: Any, tmp_path: Path) -> None:
    from sagemaker.core.model_monitor import DataCaptureConfig
    from sagemaker.core.resources import EndpointConfig
    from sagemaker.core.shapes import ProductionVariant

    builder = create_builder(3, sdk_sandbox, session, tmp_path)
    builder.build()
    capture = DataCaptureConfig(True, sampling_percentage=100, destination_s3_uri=f"s3://{BUCKET}/captured")
    endpoint = builder.deploy(endpoint_name="real-time", initial_instance_count=2, data_capture_config=capture)
    assert invoke(endpoint, 1, 2) == [3, 6]
    captured = f"captured/real-time/{endpoint.production_variants[0].variant_name}/"
    wait_until(lambda: sdk_sandbox.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=captured)["KeyCount"] == 1)

    change = [{"variant_name": "AllTraffic", "desired_instance_count": 1}]
    endpoint.update_weights_and_capacities(desired_weights_and_capacities=change)
    endpoint.wait_for_status("InService", poll=1, timeout=WAIT_SECONDS)
    assert endpoint.production_variants[0].current_instance_count == 1

    # Not deploy(update_endpoint=True): version 3.27 calls its own function with unsupported arguments.
    model = create_builder(4, sdk_sandbox, session, tmp_path).build()
    variant = ProductionVariant(
        variant_name="AllTraffic",
        model_name=model.model_name,
        instance_type="ml.m5.large",
        initial_instance_count=1,
    )
    config = EndpointConfig.create(endpoint_config_name="four", production_variants=[variant])
    endpoint.endpoint_config_name = config.endpoint_config_name
    endpoint.update()
    endpoint.wait_for_status("InService", poll=1, timeout=WAIT_SECONDS)
    assert invoke(endpoint, 1, 2) == [4, 8]
    delete_endpoint(sdk_sandbox, endpoint)


def test_the_sdk_deploys_an_asynchronous_endpoint(sdk_sandbox: Sandbox, session: Any, tmp_path: Path) -> None:
    from sagemaker.core.inference_config import AsyncInferenceConfig

    builder = create_builder(3, sdk_sandbox, session, tmp_path)
    builder.build()
    settings = AsyncInferenceConfig(max_concurrent_invocations_per_instance=2)  # the SDK chooses the output location
    endpoint = builder.deploy(endpoint_name="asynchronous", initial_instance_count=1, inference_config=settings)
    s3 = sdk_sandbox.client("s3")

    def invoke_async(body: str) -> Any:
        s3.put_object(Bucket=BUCKET, Key="question", Body=body)
        return endpoint.invoke_async(input_location=f"s3://{BUCKET}/question", content_type="application/json")

    def read_output(address: str) -> bytes:
        key = address.removeprefix(f"s3://{BUCKET}/")
        wait_until(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"])
        content: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    assert json.loads(read_output(invoke_async("[1, 2]").output_location)) == [3, 6]
    assert b"Expecting value" in read_output(invoke_async("no JSON").failure_location)
    delete_endpoint(sdk_sandbox, endpoint)


def test_the_sdk_deploys_a_pickled_object(sdk_sandbox: Sandbox, session: Any, tmp_path: Path) -> None:
    from sagemaker.core.exceptions import UnexpectedStatusException
    from sagemaker.serve import InferenceSpec, ModelBuilder, ModelServer
    from sagemaker.serve.builder.schema_builder import SchemaBuilder

    class Scale(InferenceSpec):  # type: ignore[misc]
        def load(self, model_dir: str) -> int:
            return int(Path(model_dir, "factor").read_text())

        def invoke(self, input_object: Any, model: int) -> Any:
            return [model * value for value in input_object]

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "factor").write_text("3")
    builder = ModelBuilder(
        inference_spec=Scale(),
        schema_builder=SchemaBuilder([1, 2], [3, 6]),
        model_server=ModelServer.TORCHSERVE,
        image_uri=IMAGE,
        model_path=str(folder),
        dependencies={"auto": False},
        env_vars={"AWS_DEFAULT_REGION": sdk_sandbox.region},  # the SDK needs a Region at import
        role_arn=ROLE,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    builder.build()
    if sdk_sandbox.opt_ml == mounting.PATHS:
        with pytest.raises(UnexpectedStatusException, match="did not pass the ping health check"):
            builder.deploy(endpoint_name="pickled", initial_instance_count=1)
        return
    endpoint = builder.deploy(endpoint_name="pickled", initial_instance_count=1)
    assert invoke(endpoint, 1, 2) == [3, 6]
    delete_endpoint(sdk_sandbox, endpoint)
