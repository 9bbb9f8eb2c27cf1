"""Dependent actions of the actions in the documents: allowed, or an exception with a reason."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from botocore.exceptions import ClientError

from clone.deployer import environment as deployer
from modules.observability.runbook import build_document
from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.catalogue import deployer_actions as table
from tests.clone.deployer.iam_actions import load_iam_actions
from tests.provider import SANDBOX_LOGS
from tests.sandbox.support import make_role, make_service_role

EXCEPTIONS = Path(__file__).with_name("dependent_action_exceptions.yaml")
#: Conditions by which an action works for one service only.
_SERVICE_KEYS = {"iam:CreateServiceLinkedRole": "iam:AWSServiceName", "iam:PassRole": "iam:PassedToService"}
ACCOUNT, REGION = "123456789012", "eu-north-1"


class Dependence(NamedTuple):
    """An action that a statement allows, and one of its dependent actions."""

    action: str
    dependent: str


def list_denied_dependences() -> set[Dependence]:
    """Return each dependent action that the statements of the same resource type do not allow in the same phase."""
    denied: set[Dependence] = set()
    for statements in table.load_deployer_actions().values():
        phases: dict[table.Access, tuple[table.Access, ...]] = {
            "read": ("read",),
            "write": ("read", "write"),
            "delete_data": table.ACCESSES,
        }
        for phase, accesses in phases.items():
            for action in {action for one in statements for action in one.get_actions(phase)}:
                dependences = {Dependence(action, name) for name in load_iam_actions()[action].dependents}
                denied |= {one for one in dependences if not is_allowed(one, statements, accesses)}
    return denied


def is_allowed(
    dependence: Dependence, statements: list[table.DeployerStatement], accesses: tuple[table.Access, ...]
) -> bool:
    """Return whether a statement allows the dependent action, for the service of the action."""
    service = f"{dependence.action.partition(':')[0]}.amazonaws.com"
    key = _SERVICE_KEYS.get(dependence.dependent, "")
    return any(
        service in one.conditions.get("StringEquals", {}).get(key, [service])
        for one in statements
        if any(dependence.dependent in one.get_actions(access) for access in accesses)
    )


def read_exceptions() -> set[Dependence]:
    groups = yaml.safe_load(EXCEPTIONS.read_text())
    assert all(group["reason"] and group["source"].startswith("https://docs.aws.amazon.com/") for group in groups)
    listed = [Dependence(action, name) for group in groups for action, v in group["dependents"].items() for name in v]
    assert len(listed) == len(set(listed)), f"{EXCEPTIONS.name} lists a dependent action twice"
    return set(listed)


def test_every_dependent_action_is_allowed_or_an_exception_with_a_reason() -> None:
    denied, exceptions = list_denied_dependences(), read_exceptions()
    assert sorted(denied - exceptions) == [], f"add the action to {table.FILE.name}, or a reason to {EXCEPTIONS.name}"
    assert sorted(exceptions - denied) == [], (
        f"stale in {EXCEPTIONS.name}: no action needs it, or the documents allow it"
    )


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox that enforces IAM."""
    log = tmp_path_factory.mktemp("dependent_actions") / "sandbox.log"
    SANDBOX_LOGS.append(log)
    with Sandbox.start(log=log, enforce_iam=True) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def documents(environment: Callable[..., Any], modules: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the documents of each CI role of an environment with idle_stop and table optimizers."""
    settings = {"observability": {"idle_stop": "report"}, "table_optimizers": {"retention": {"days": 5}}}
    body = environment(**settings).to_json()
    bodies = {name: module.to_json() for name, module in modules.items()}
    names = deployer.read_names(body, bodies, "dev", "smlops-dev", deletion_protection=True)
    made = deployer.make_environment_documents(body, bodies, names)
    plan = [one.text for one in made if one.name.startswith("plan-")]
    return {"plan": plan, "apply": [one.text for one in made]}


def assume_role(sandbox: Sandbox, name: str, texts: list[str]) -> Callable[[str], Any]:
    """Create a role with these policies, and return a function that makes clients with its credentials."""
    iam = sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for number, text in enumerate(texts):
        policy = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=text)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    issued = sandbox.client("sts").assume_role(RoleArn=role, RoleSessionName="ci")["Credentials"]

    def create_client(service: str) -> Any:
        client = make_client(service, REGION, sandbox.endpoint)
        own = client._request_signer._credentials
        own.access_key, own.secret_key = issued["AccessKeyId"], issued["SecretAccessKey"]
        own.token = issued["SessionToken"]
        return client

    return create_client


def allow(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.slow
@pytest.mark.apply
def test_the_apply_role_of_an_environment_with_idle_stop_creates_and_changes_the_runbook(
    enforcing: Sandbox, documents: dict[str, list[str]]
) -> None:
    own, foreign = (make_role(enforcing, name) for name in ("smlops-dev-runbook", "foreign-runbook"))
    contents = {
        role: [json.dumps(build_document(role, f"arn:aws:sns:{REGION}:{ACCOUNT}:t", hours)) for hours in (3, 4)]
        for role in (own, foreign)
    }
    ssm = assume_role(enforcing, "deployer-smlops-dev-apply", documents["apply"])("ssm")
    runbook = {"Name": "smlops-dev-stop-idle-endpoint", "DocumentFormat": "JSON"}
    for call, more in (
        (ssm.create_document, {"DocumentType": "Automation"}),
        (ssm.update_document, {"DocumentVersion": "$LATEST"}),
    ):
        content = contents[own].pop()
        with pytest.raises(ClientError, match=rf"not authorized to perform: iam:PassRole on resource: {foreign}"):
            call(**runbook, **more, Content=contents[foreign][0])
        call(**runbook, **more, Content=content)


@pytest.mark.slow
@pytest.mark.apply
def test_the_plan_role_reads_table_optimizers(enforcing: Sandbox, documents: dict[str, list[str]]) -> None:
    sagemaker = enforcing.client("sagemaker")
    sagemaker.create_feature_group(
        FeatureGroupName="smlops-dev-orders",
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[{"FeatureName": one, "FeatureType": "String"} for one in ("id", "at")],
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "s3://store/features"}, "TableFormat": "Iceberg"},
        RoleArn=make_role(enforcing, "smlops-dev-features"),
    )
    offline = sagemaker.describe_feature_group(FeatureGroupName="smlops-dev-orders")["OfflineStoreConfig"]
    catalog = offline["DataCatalogConfig"]
    request = {
        "CatalogId": ACCOUNT,
        "DatabaseName": catalog["Database"],
        "TableName": catalog["TableName"],
        "Type": "retention",
    }
    enforcing.client("glue").create_table_optimizer(
        **request,
        TableOptimizerConfiguration={
            "roleArn": make_service_role(enforcing, "glue.amazonaws.com", "glue:GetTable"),
            "enabled": True,
        },
    )
    glue = assume_role(enforcing, "deployer-smlops-dev-plan", documents["plan"])("glue")
    assert glue.get_table_optimizer(**request)["TableOptimizer"]["type"] == "retention"
    without_table = assume_role(enforcing, "optimizers-only", [allow("glue:GetTableOptimizer")])("glue")
    with pytest.raises(ClientError, match="not authorized to perform: glue:GetTable on resource"):
        without_table.get_table_optimizer(**request)
