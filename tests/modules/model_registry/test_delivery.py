"""Approvals start the delivery pipeline of GitHub or GitLab by an HTTP request."""

import json
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme

from tests.modules.examples import apply, plan, terraform
from tests.modules.prerequisites import create_connection
from tests.provider import alone
from tests.sandbox.support import IMAGE, wait_until

GROUP = "flights-dev-flight-delay"
REGISTRY = """
module "model_registry" {
  source               = "./modules/model_registry"
  name_prefix          = "flights-dev"
  account_id           = "123456789012"
  region               = "eu-north-1"
  deletion_protection  = false
  model_package_groups = { flight_delay = {} }
  delivery = {
    connection_arn = "%s"
    %s
  }
}
output "queue" {
  value = module.model_registry.delivery_dead_letter_queue_url
}
"""
CONNECTION = "arn:aws:events:eu-north-1:123456789012:connection/ci/1234abcd-12ab-34cd-56ef-1234567890ab"


class Service(ThreadingHTTPServer):
    """HTTPS server in place of GitHub. It keeps the requests, and responds with `statuses`, the last one repeatedly."""

    def __init__(self, authority: trustme.CA) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, str | None, Any]] = []
        self.statuses = [204]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def address(self) -> str:
        return f"https://localhost:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        statuses = self.server.statuses
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self.server.requests.append((self.command, self.path, self.headers["Authorization"], body))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Run the server. Processes that start now trust its certificate."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with Service(authority) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def account(tmp_path: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    with alone(tmp_path / "sandbox.log") as running:
        yield running


def write_registry(folder: Path, connection: str, service: str) -> Path:
    """Write a root module with this connection and service."""
    folder.mkdir()
    (folder / "main.tf").write_text(REGISTRY % (connection, service))
    (folder / "modules").symlink_to(Path("modules").resolve())
    return folder


def update_status(sagemaker: Any, status: str) -> str:
    """Register a package and set its approval status. Return its ARN."""
    package = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification={"Containers": [{"Image": IMAGE}]},
        ModelApprovalStatus="PendingManualApproval",
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)
    return str(package)


@pytest.mark.apply
def test_an_approval_calls_github_with_the_package_and_a_failed_call_is_kept(
    service: Service, account: tuple[Any, dict[str, str]], tmp_path: Path
) -> None:
    sandbox, variables = account
    connection = create_connection(sandbox, "github", "Bearer secret-token")
    github = f'github = {{ repository = "acme/flights", api_url = "{service.address}" }}'
    driver = terraform(write_registry(tmp_path / "root", connection, github), variables)
    assert "secret-token" not in json.dumps(plan(driver))
    apply(driver)
    assert "secret-token" not in (tmp_path / "root" / "terraform.tfstate").read_text()
    sagemaker, sqs = sandbox.client("sagemaker"), sandbox.client("sqs")

    update_status(sagemaker, "Rejected")
    service.statuses = [503, 204]
    package = update_status(sagemaker, "Approved")
    wait_until(lambda: len(service.requests) >= 2)
    expected = (
        "POST",
        "/repos/acme/flights/dispatches",
        "Bearer secret-token",
        {
            "event_type": "model-approved",
            "client_payload": {
                "account_id": "123456789012",
                "model_package_arn": package,
                "model_package_group": GROUP,
                "region": "eu-north-1",
            },
        },
    )
    assert service.requests == [expected, expected], "the rejection sends nothing, and status 503 is retried"

    service.statuses = [404]
    lost = update_status(sagemaker, "Approved")
    url = driver.output()["queue"]
    message = wait_until(
        lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [None])[0]
    )
    assert json.loads(message["Body"])["detail"]["ModelPackageArn"] == lost
    assert message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"].startswith("HTTP status 404")


@pytest.mark.plan
def test_an_approval_starts_a_pipeline_of_gitlab(tmp_path: Path, terraform_environment: dict[str, str]) -> None:
    gitlab = 'gitlab = { project_id = "4711" }'
    driver = terraform(write_registry(tmp_path / "root", CONNECTION, gitlab), terraform_environment)
    values = {one["address"]: one["change"]["after"] for one in plan(driver)["resource_changes"]}
    destination = values['module.model_registry.aws_cloudwatch_event_api_destination.delivery["delivery"]']
    assert destination["invocation_endpoint"] == "https://gitlab.com/api/v4/projects/4711/pipeline"
    assert destination["invocation_rate_limit_per_second"] == 1
    target = values['module.model_registry.aws_cloudwatch_event_target.delivery["flight_delay"]']
    assert json.loads(target["input_transformer"][0]["input_template"]) == {
        "ref": "main",
        "variables": [
            {"key": "ACCOUNT_ID", "value": "<account_id>"},
            {"key": "MODEL_PACKAGE_ARN", "value": "<model_package_arn>"},
            {"key": "MODEL_PACKAGE_GROUP", "value": "<model_package_group>"},
            {"key": "REGION", "value": "<region>"},
        ],
    }


@pytest.mark.plan
def test_the_role_can_only_invoke_the_destination(tmp_path: Path, terraform_environment: dict[str, str]) -> None:
    github = 'github = { repository = "acme/flights" }'
    driver = terraform(write_registry(tmp_path / "root", CONNECTION, github), terraform_environment)
    values = {one["address"]: one["change"]["after"] for one in plan(driver)["resource_changes"]}
    policy = json.loads(values['module.model_registry.aws_iam_role_policy.delivery["delivery"]']["policy"])
    arn = "arn:aws:events:eu-north-1:123456789012:api-destination/flights-dev-model-delivery"
    assert [(one["Action"], one["Resource"]) for one in policy["Statement"]] == [
        ("events:InvokeApiDestination", [arn, f"{arn}/*"])
    ]
    role = values['module.model_registry.aws_iam_role.delivery["delivery"]']
    (trust,) = json.loads(role["assume_role_policy"])["Statement"]
    rule = "arn:aws:events:eu-north-1:123456789012:rule/flights-dev-*-delivery"
    assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": rule}
