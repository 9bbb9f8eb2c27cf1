"""Life cycle of endpoints, with real responses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import IMAGE, ROLE, catch_error, create_tar, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
TRIPLE = """
import json
def model_fn(model_dir): return 3
def input_fn(body, content_type): return json.loads(body)
def predict_fn(values, model): return [value * model for value in values]
"""
#: The same script, but it loads once a file exists.
GATED = TRIPLE.replace("import json", "import json, os, time").replace(
    "return 3", "\n    while not os.path.exists(GATE): time.sleep(0.02)\n    return 3"
)


def build_variant(model: str, **members: Any) -> dict[str, Any]:
    return {"VariantName": "main", "ModelName": model, "ServerlessConfig": SERVERLESS, **members}


def make_model(sagemaker: Any, name: str, **members: Any) -> str:
    container_members = {"PrimaryContainer": {"Image": IMAGE}} if "Containers" not in members else {}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, **(container_members | members))
    return name


def test_a_missing_model_or_configuration_is_refused(sagemaker: Any, fresh: Fresh) -> None:
    config = {"EndpointConfigName": fresh("config"), "ProductionVariants": [build_variant("no-such-model")]}
    assert "Could not find model" in catch_error(sagemaker.create_endpoint_config, **config)[1]
    endpoint = {"EndpointName": fresh("endpoint"), "EndpointConfigName": "no-such-config"}
    assert "Could not find endpoint configuration" in catch_error(sagemaker.create_endpoint, **endpoint)[1]


def test_an_instance_based_endpoint_cannot_become_serverless(sagemaker: Any, fresh: Fresh) -> None:
    model, endpoint = make_model(sagemaker, fresh("model")), fresh("endpoint")
    instances, serverless = fresh("config"), fresh("config")
    instance_variant = {
        "VariantName": "main",
        "ModelName": model,
        "InstanceType": "ml.c7g.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=instances, ProductionVariants=[instance_variant])
    sagemaker.create_endpoint_config(EndpointConfigName=serverless, ProductionVariants=[build_variant(model)])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=instances)
    wait_in_service(sagemaker, endpoint)
    update = {"EndpointName": endpoint, "EndpointConfigName": serverless}
    assert "cannot become serverless" in catch_error(sagemaker.update_endpoint, **update)[1]


def test_an_endpoint_serves_a_model_package_and_then_its_successor(
    sandbox: Sandbox, sagemaker: Any, s3: Any, fresh: Fresh, bucket: str, tmp_path: Path
) -> None:
    runtime, group = sandbox.client("sagemaker-runtime"), fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    models = []
    for factor in ("3", "5"):
        code = GATED.replace("3", factor).replace("GATE", repr(str(tmp_path / f"load-{factor}")))
        s3.put_object(Bucket=bucket, Key=factor, Body=create_tar(code__inference_py=code))
        package = {"Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{factor}"}]}
        arn = sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=package)
        container = {"ModelPackageName": arn["ModelPackageArn"]}
        models.append(make_model(sagemaker, fresh("model"), PrimaryContainer=container))

    endpoint = deploy(sagemaker, fresh, models[0])
    assert get_status(sagemaker, endpoint) == "Creating"
    (tmp_path / "load-3").touch()
    wait_in_service(sagemaker, endpoint)
    request = {"EndpointName": endpoint, "Body": b"[1, 2]", "ContentType": "application/json"}
    response = runtime.invoke_endpoint(**request)
    assert response["Body"].read() == b"[3, 6]"
    assert (response["ContentType"], response["InvokedProductionVariant"]) == ("application/json", "main")

    config = fresh("config")
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[build_variant(models[1])])
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    assert (
        runtime.invoke_endpoint(**request)["Body"].read() == b"[3, 6]"
    )  # the old one serves until the new one is ready
    assert "Cannot update in-progress endpoint" in catch_error(sagemaker.delete_endpoint, EndpointName=endpoint)[1]
    (tmp_path / "load-5").touch()
    wait_in_service(sagemaker, endpoint)
    assert runtime.invoke_endpoint(**request)["Body"].read() == b"[5, 10]"

    sagemaker.delete_endpoint_config(EndpointConfigName=config)  # allowed: the endpoint continues to serve
    assert runtime.invoke_endpoint(**request)["Body"].read() == b"[5, 10]"
    sagemaker.delete_endpoint(EndpointName=endpoint)
    wait_until(lambda: not sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"])
    assert "not found" in catch_error(runtime.invoke_endpoint, **request)[1]


def test_an_endpoint_serves_the_inference_specification_that_its_model_names(
    sandbox: Sandbox, sagemaker: Any, s3: Any, fresh: Fresh, bucket: str
) -> None:
    group = fresh("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    specifications = {}
    for factor in ("3", "7"):
        s3.put_object(Bucket=bucket, Key=factor, Body=create_tar(code__inference_py=TRIPLE.replace("3", factor)))
        specifications[factor] = {"Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{factor}"}]}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification=specifications["3"],
        AdditionalInferenceSpecifications=[{"Name": "graviton"} | specifications["7"]],
    )["ModelPackageArn"]
    container = {"ModelPackageName": arn, "InferenceSpecificationName": "graviton"}
    unknown = container | {"InferenceSpecificationName": "gravitron"}
    model = {"ModelName": fresh("model"), "ExecutionRoleArn": ROLE, "PrimaryContainer": unknown}
    assert "gravitron" in catch_error(sagemaker.create_model, **model)[1]
    endpoint = deploy(sagemaker, fresh, make_model(sagemaker, fresh("model"), PrimaryContainer=container))
    wait_in_service(sagemaker, endpoint)
    request = {"EndpointName": endpoint, "Body": b"[1, 2]", "ContentType": "application/json"}
    assert sandbox.client("sagemaker-runtime").invoke_endpoint(**request)["Body"].read() == b"[7, 14]"


def test_a_request_that_the_model_cannot_read_is_a_model_error(
    sandbox: Sandbox, sagemaker: Any, s3: Any, fresh: Fresh, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=create_tar(code__inference_py=TRIPLE))
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    endpoint = deploy(sagemaker, fresh, make_model(sagemaker, fresh("model"), PrimaryContainer=container))
    wait_in_service(sagemaker, endpoint)
    runtime = sandbox.client("sagemaker-runtime")
    request = {"EndpointName": endpoint, "ContentType": "application/json"}
    code, message = catch_error(runtime.invoke_endpoint, Body=b"{", **request)
    assert code == "ModelError"
    assert "Received server error (500) from primary" in message
    code, message = catch_error(runtime.invoke_endpoint, Body=b" " * (4 * 2**20 + 1), **request)
    assert (code, "less than or equal to 4194304" in message) == ("ValidationError", True)


def deploy(sagemaker: Any, fresh: Fresh, model: str) -> str:
    config, endpoint = fresh("config"), fresh("endpoint")
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[build_variant(model)])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    return endpoint


def get_status(sagemaker: Any, endpoint: str) -> str:
    return str(sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"])


def wait_in_service(sagemaker: Any, endpoint: str) -> None:
    wait_until(lambda: get_status(sagemaker, endpoint) == "InService")
