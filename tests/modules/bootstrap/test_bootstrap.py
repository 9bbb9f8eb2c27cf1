"""Trust, permissions boundary and state of `bootstrap`."""

import json
import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from modules.bootstrap.inputs import MOST_CHARACTERS
from sagemaker_sandbox.iam.elements import make_list
from sagemaker_sandbox.iam.evaluation import AccessDecision, Policy
from sustainable_mlops.base.terraform import ROOT, Terraform
from tests import policy_decisions
from tests.cases import check_cases
from tests.modules.examples import apply, copy_modules, describe_changes, examples, plan, summary, terraform

IAM = "arn:aws:iam::123456789012"
BOUNDARY = f"{IAM}:policy/ci/deployer-flights-dev-boundary"
PLAN, APPLY = (f"{IAM}:role/ci/deployer-flights-dev-{kind}" for kind in ("plan", "apply"))
TRAINING = f"{IAM}:role/flights-dev-training"
STATE = "arn:aws:s3:::flights-state-123456789012"
KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WITH_BOUNDARY = {"iam:PermissionsBoundary": BOUNDARY}
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
#: A second environment, with immutable subject claims, and a key whose ARN each plan knows.
QA = f"""
  existing_kms_key = {{ arn = "{KEY}" }}

  environments = {{
    qa = {{
      name_prefix = "flights-qa"
      region      = "eu-west-1"
      plan = {{
        github   = [{{ repository = "acme/platform", owner_id = "11", repository_id = "22" }}]
        policies = {{ plan-data = local.plan_data }}
      }}
      apply = {{
        github = [{{
          repository = "acme/platform", owner_id = "11", repository_id = "22"
          branches = ["main"], environments = ["qa"], tags = ["v1"]
        }}]
        policies = {{ apply-data = local.apply_data }}
      }}
      promote = {{
        gitlab     = [{{ project = "acme/ml/platform", branches = ["main"] }}]
        registries = {{ "234567890123" = "flights-dev" }}
      }}
    }}
"""
ROOT_MODULE = re.compile(r"^ *```terraform\n(?P<text>.*?)^ *```$", re.M | re.S)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Any]:
    """Return the planned values of the complete example with `QA`, by address within the module, and its outputs."""
    folder = tmp_path_factory.mktemp("bootstrap")
    next(one for one in examples() if str(one) == "bootstrap-complete").write(folder)
    main = folder / "main.tf"
    main.write_text(main.read_text().replace("  environments = {\n", QA, 1))
    engine = Terraform(folder, terraform_environment)
    engine.init()
    result = summary(engine.plan(folder / "tfplan"))
    values = {address.removeprefix("module.bootstrap."): value for address, value in result["values"].items()}
    return {**values, "outputs": result["outputs"]}


def read_trust(planned: Mapping[str, Any], role: str, environment: str = "dev") -> dict[str, dict[str, Any]]:
    """Return the conditions of a role's trust policy by operator and key."""
    conditions: dict[str, dict[str, Any]] = {}
    for statement in json.loads(planned[f'aws_iam_role.{role}["{environment}"]']["assume_role_policy"])["Statement"]:
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        for operator, keys in statement["Condition"].items():
            conditions.setdefault(operator, {}).update(keys)
    return conditions


@pytest.mark.plan
def test_each_role_trusts_exactly_the_named_jobs(planned: dict[str, Any]) -> None:
    audiences = {f"{issuer}:aud": "sts.amazonaws.com" for issuer in (GITHUB, GITLAB)}
    assert read_trust(planned, "apply") == {
        "StringEquals": {
            **audiences,
            f"{GITHUB}:sub": ["repo:acme/platform:environment:dev"],
            f"{GITLAB}:sub": ["project_path:acme/ml/platform:ref_type:branch:ref:main"],
        }
    }
    assert read_trust(planned, "promote") == {
        "StringEquals": {
            f"{GITHUB}:aud": "sts.amazonaws.com",
            f"{GITHUB}:sub": ["repo:acme/platform:ref:refs/heads/main"],
        }
    }


@pytest.mark.plan
def test_immutable_subjects_contain_the_ids_of_owner_and_repository(planned: dict[str, Any]) -> None:
    start = "repo:acme@11/platform@22"
    assert read_trust(planned, "plan", "qa")["StringEquals"][f"{GITHUB}:sub"] == [f"{start}:pull_request"]
    assert read_trust(planned, "apply", "qa")["StringEquals"][f"{GITHUB}:sub"] == [
        f"{start}:ref:refs/heads/main",
        f"{start}:ref:refs/tags/v1",
        f"{start}:environment:qa",
    ]


@pytest.mark.plan
def test_only_plan_trusts_pull_requests_and_merge_requests(planned: dict[str, Any]) -> None:
    trust = read_trust(planned, "plan")
    assert trust["StringEquals"][f"{GITHUB}:sub"] == ["repo:acme/platform:pull_request"]
    assert trust["StringLike"] == {f"{GITLAB}:sub": ["project_path:acme/ml/platform:ref_type:branch:ref:*"]}
    assert "pull_request" not in str([read_trust(planned, role) for role in ("apply", "promote")])


@pytest.mark.plan
def test_only_boundaries_which_grant_nothing_have_a_statement_on_all_resources(planned: dict[str, Any]) -> None:
    wide = [
        (address, statement["Sid"])
        for address, values in planned.items()
        if address.startswith(("aws_iam_policy.", "aws_iam_role_policy."))
        for statement in Policy.parse(values.get("policy", "{}")).statements
        if statement["Effect"] == "Allow" and statement.get("Resource") in ("*", ["*"])
    ]
    assert wide == [(f'aws_iam_policy.boundary["{name}"]', "AllowServices") for name in ("dev", "qa")]
    assert all(planned[f'aws_iam_role.{role}["dev"]']["permissions_boundary"] == BOUNDARY for role in ("plan", "apply"))


def decide(planned: Mapping[str, Any], action: str, resource: str, keys: Mapping[str, str | None]) -> AccessDecision:
    """Return the decision of the boundary of dev, by default for a role that apply created."""
    boundary = Policy.parse(planned['aws_iam_policy.boundary["dev"]']["policy"])
    return policy_decisions.decide(boundary, action, resource, {"aws:PrincipalArn": TRAINING, **keys})


@pytest.mark.plan
@check_cases(
    ("action", "resource", "keys"),
    [
        ("iam:CreateUser", f"{IAM}:user/eve", {}),
        ("iam:CreateAccessKey", f"{IAM}:user/admin", {}),
        ("iam:CreatePolicyVersion", BOUNDARY, {}),
        ("iam:CreatePolicyVersion", f"{IAM}:policy/team", {}),
        ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/ci/deployer-flights-dev-plan", {}),
        ("iam:PutRolePolicy", f"{IAM}:role/ci/deployer-flights-dev-apply", WITH_BOUNDARY),
        ("iam:AddClientIDToOpenIDConnectProvider", f"{IAM}:oidc-provider/{GITHUB}", {}),
        ("iam:CreateRole", f"{IAM}:role/flights-dev-training", {"iam:PermissionsBoundary": None}),
        ("iam:CreateRole", f"{IAM}:role/flights-dev-training", {"iam:PermissionsBoundary": f"{IAM}:policy/team"}),
        ("iam:CreateRole", f"{IAM}:role/admin", WITH_BOUNDARY),
        ("iam:AttachRolePolicy", f"{IAM}:role/flights-dev-training", {"iam:PermissionsBoundary": None}),
        ("iam:DeleteRolePermissionsBoundary", f"{IAM}:role/flights-dev-training", {}),
        ("iam:PassRole", f"{IAM}:role/admin", {}),
        ("iam:CreateRole", f"{IAM}:role/flights-qa-training", WITH_BOUNDARY),
        ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/flights-qa-training", {}),
        ("iam:PassRole", f"{IAM}:role/flights-qa-training", {}),
        *(
            (action, f"{STATE}/{name}/terraform.tfstate", {})
            for action in ("s3:GetObject", "s3:PutObject")
            for name in ("bootstrap", "dev", "qa")
        ),
        *(
            (action, f"{STATE}/{name}/terraform.tfstate", {"aws:PrincipalArn": APPLY})
            for action in ("s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject")
            for name in ("bootstrap", "qa")
        ),
        ("s3:ListBucket", STATE, {}),
        ("s3:ListBucket", STATE, {"aws:PrincipalArn": f"{IAM}:role/deployer-flights-dev-apply"}),
        ("s3:DeleteObjectVersion", f"{STATE}/dev/terraform.tfstate", {"aws:PrincipalArn": APPLY}),
        *(
            (f"s3:{action}", STATE, {"aws:PrincipalArn": APPLY})
            for action in (
                "DeleteBucket",
                "DeleteBucketPolicy",
                "PutBucketOwnershipControls",
                "PutBucketPolicy",
                "PutBucketPublicAccessBlock",
                "PutBucketVersioning",
                "PutEncryptionConfiguration",
                "PutLifecycleConfiguration",
                "PutReplicationConfiguration",
            )
        ),
        *(("s3:PutAccountPublicAccessBlock", "*", {"aws:PrincipalArn": role}) for role in (APPLY, TRAINING)),
        ("s3:CreateAccessPoint", "arn:aws:s3:eu-north-1:123456789012:accesspoint/state", {"aws:PrincipalArn": APPLY}),
        (
            "s3:CreateMultiRegionAccessPoint",
            "arn:aws:s3:us-west-2:123456789012:async-request/mrap/createMultiRegionAccessPoint/x",
            {"aws:PrincipalArn": APPLY},
        ),
        ("kms:Decrypt", KEY, {}),
        *(
            (f"kms:{action}", KEY, {"aws:PrincipalArn": APPLY})
            for action in ("CreateGrant", "DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource")
        ),
        (
            "sagemaker-mlflow:CreateRun",
            "arn:aws:sagemaker:eu-north-1:210987654321:mlflow-tracking-server/flights-dev-tracking",
            {},
        ),
        ("sagemaker:CallMlflowAppApi", "arn:aws:sagemaker:eu-north-1:210987654321:mlflow-app/app-1", {}),
        ("organizations:LeaveOrganization", "*", {}),
        ("sts:AssumeRole", APPLY, {}),
        *((f"iam:{action}", APPLY, WITH_BOUNDARY) for action in ("PassRole", "TagRole", "UntagRole", "UpdateRole")),
    ],
    ids=str,
)
def test_the_boundary_denies_an_escalation(
    planned: dict[str, Any], action: str, resource: str, keys: dict[str, str | None]
) -> None:
    assert not decide(planned, action, resource, keys).allowed


@pytest.mark.plan
@check_cases(
    ("action", "resource"),
    [
        *((f"ssm:{action}", "*") for action in ("CreateAssociation", "ResumeSession", "SendCommand", "StartSession")),
        ("ssm:UpdateDocument", "arn:aws:ssm:eu-north-1:123456789012:document/patches"),
        *(
            (f"ec2:{action}", "*")
            for action in ("CreateReplaceRootVolumeTask", "ModifyInstanceAttribute", "RunInstances")
        ),
        ("glue:StartJobRun", "*"),
        ("ecr:PutImage", "*"),
        ("lakeformation:PutDataLakeSettings", "*"),
        *(
            (f"sagemaker:{action}", "*")
            for action in (
                "CreateApp",
                "CreatePartnerAppPresignedUrl",
                "CreatePresignedDomainUrl",
                "CreatePresignedNotebookInstanceUrl",
                "StartSession",
                "UpdateNotebookInstance",
                "UpdateNotebookInstanceLifecycleConfig",
                "UpdateUserProfile",
            )
        ),
        ("sagemaker:UpdatePipeline", "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/team"),
        ("sagemaker:StartPipelineExecution", "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/flights-qa-churn"),
    ],
    ids=str,
)
@pytest.mark.parametrize("role", [APPLY, TRAINING])
def test_the_boundary_denies_to_run_code_with_a_role_of_somebody_else(
    planned: dict[str, Any], role: str, action: str, resource: str
) -> None:
    assert not decide(planned, action, resource, {"aws:PrincipalArn": role}).allowed


QA_TAG = {"aws:ResourceTag/environment": "qa"}
DEV_TAG = {"aws:ResourceTag/environment": "dev"}
OWN_NAMES = {"flights-qa": "flights-dev", "flights_qa": "flights_dev", "/qa/": "/dev/"}


@pytest.mark.plan
@check_cases(
    ("action", "resource", "keys"),
    [
        *(
            (f"s3:{action}", f"arn:aws:s3:::flights-qa-data-123456789012-eu-west-1{key}", {})
            for action, key in (("GetObject", "/raw/x"), ("PutObject", "/raw/x"), ("DeleteBucket", ""))
        ),
        *(
            (f"kms:{action}", f"{KEY[:-1]}c", QA_TAG)
            for action in ("Decrypt", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource")
        ),
        ("ssm:PutParameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/sustainable-mlops/qa/platform", {}),
        ("glue:UpdateTable", "arn:aws:glue:eu-west-1:123456789012:table/sagemaker_featurestore/flights_qa_x_1", {}),
        (
            "application-autoscaling:DeregisterScalableTarget",
            "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/1",
            QA_TAG,
        ),
        ("sagemaker:DeleteModel", "arn:aws:sagemaker:eu-west-1:123456789012:model/terraform-1", QA_TAG),
        (
            "sagemaker-mlflow:CreateRun",
            "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/flights-qa-tracking",
            QA_TAG,
        ),
        ("sagemaker:CallMlflowAppApi", "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-app/app-1", QA_TAG),
        *(
            (f"ec2:{action}", "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1", QA_TAG)
            for action in ("CreateTags", "DeleteSecurityGroup", "DeleteTags")
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("role", [APPLY, TRAINING])
def test_the_boundary_denies_the_resources_of_other_environments_and_allows_the_own_ones(
    planned: dict[str, Any], role: str, action: str, resource: str, keys: dict[str, str]
) -> None:
    assert decide(planned, action, resource, {**keys, "aws:PrincipalArn": role}).explicit
    own = DEV_TAG if keys else {}
    for other, name in OWN_NAMES.items():
        resource = resource.replace(other, name)
    assert decide(planned, action, resource, {**own, "aws:PrincipalArn": role}).allowed


@pytest.mark.plan
def test_preflight_may_read_the_roles_of_ci(planned: dict[str, Any]) -> None:
    roles = [PLAN, APPLY, f"{IAM}:role/ci/deployer-flights-dev-promote"]
    assert all(decide(planned, "iam:GetRole", role, {"aws:PrincipalArn": PLAN}).allowed for role in roles)


def list_requests(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each action of the documents of an environment, with an ARN that its statement covers."""
    for file in sorted(folder.glob("*.json")):
        for statement in Policy.parse_valid(file.read_text()).statements:
            for resource in statement["Resource"]:
                name = resource if resource == "*" else resource.replace("*", "x")
                yield from ((action, name) for action in statement["Action"])


@pytest.mark.plan
@pytest.mark.parametrize("role", [PLAN, APPLY])
def test_the_boundary_allows_plan_and_apply_the_state_of_their_environment(planned: dict[str, Any], role: str) -> None:
    requests = [
        *((f"s3:{action}Object", f"{STATE}/dev/terraform.tfstate.tflock") for action in ("Get", "Put", "Delete")),
        ("s3:ListBucket", STATE),
        ("kms:Decrypt", KEY),
        ("kms:GenerateDataKey", KEY),
    ]
    assert [one for one in requests if not decide(planned, *one, {"aws:PrincipalArn": role}).allowed] == []


@pytest.mark.plan
def test_a_boundary_has_room_in_a_managed_policy(planned: dict[str, Any]) -> None:
    policy = planned['aws_iam_policy.boundary["dev"]']["policy"]
    assert len(policy) < 0.8 * MOST_CHARACTERS
    of_another = sum(len(f"{text},") for text in re.findall(r'"[^"]*\bqa\b[^"]*"|"[^"]*_qa_[^"]*"', policy))
    assert of_another > 200
    assert len(policy) + 3 * of_another < MOST_CHARACTERS, "the page promises five environments"


@pytest.mark.plan
def test_the_boundary_allows_the_actions_of_the_roles_that_modules_create(planned: dict[str, Any]) -> None:
    sources = [file for file in (ROOT / "modules").rglob("*.py") if file.parent.name not in ("bootstrap", "images")]
    pattern = re.compile(r'"((?:ec2|ecr|glue|lakeformation|servicequotas|ssm):[A-Z][a-z]+[A-Z][A-Za-z]+)"')
    actions = {action for file in sources for action in pattern.findall(file.read_text())}
    assert {"ec2:CreateNetworkInterface", "ecr:BatchGetImage", "ssm:StartAutomationExecution"} <= actions
    assert [one for one in sorted(actions) if not decide(planned, one, "*", {}).allowed] == []


@pytest.mark.plan
def test_the_promote_role_reads_the_registries_and_the_models_of_its_environment(planned: dict[str, Any]) -> None:
    statements = Policy.parse(planned['aws_iam_role_policy.promote["qa"]']["policy"]).statements
    owners = {"123456789012": "flights-qa", "234567890123": "flights-dev"}
    sagemaker = {account: f"arn:aws:sagemaker:eu-west-1:{account}" for account in owners}
    grants = {tuple(make_list(one["Action"])): set(make_list(one["Resource"])) for one in statements}
    assert grants == {
        ("sagemaker:DescribeModelPackageGroup",): {
            f"{sagemaker[account]}:model-package-group/{prefix}-*" for account, prefix in owners.items()
        },
        ("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"): {
            f"{sagemaker[account]}:model-package/{prefix}-*" for account, prefix in owners.items()
        },
        ("s3:GetObject",): {
            f"arn:aws:s3:::{prefix}-artifacts-{account}-eu-west-1/models/*" for account, prefix in owners.items()
        },
        ("s3:ListBucket",): {
            f"arn:aws:s3:::{prefix}-artifacts-{account}-eu-west-1" for account, prefix in owners.items()
        },
        ("kms:Decrypt",): {f"arn:aws:kms:eu-west-1:{account}:key/*" for account in owners},
    }
    conditions = {one["Action"]: one["Condition"] for one in statements if "Condition" in one}
    assert conditions == {
        "s3:ListBucket": {"StringLike": {"s3:prefix": "models/*"}},
        "kms:Decrypt": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
    }


@pytest.mark.plan
def test_the_boundary_allows_everything_that_an_environment_needs(planned: dict[str, Any]) -> None:
    requests = {
        (action, resource.replace("smlops-dev-state", "flights-state").replace("smlops-dev", "flights-dev"))
        for action, resource in list_requests(ROOT / "envs" / "dev" / "deployer")
    }
    assert len(requests) > 100
    keys = {**WITH_BOUNDARY, "aws:PrincipalArn": APPLY}
    assert [one for one in sorted(requests) if not decide(planned, *one, keys).allowed] == []


@pytest.mark.plan
def test_the_service_control_policy_exempts_only_break_glass_roles_and_apply(planned: dict[str, Any]) -> None:
    policy = Policy.parse(planned["outputs"]["service_control_policy"])
    break_glass, deployer = f"{IAM}:role/break-glass", f"{IAM}:role/ci/deployer-flights-dev-apply"

    def list_denied(role: str) -> list[str]:
        actions = ("kms:ScheduleKeyDeletion", "s3:DeleteBucket", "s3:PutBucketVersioning")
        arn = {"kms": "arn:aws:kms:eu-north-1:123456789012:key/1", "s3": "arn:aws:s3:::data"}
        return [
            action
            for action in actions
            if policy_decisions.decide(
                policy, action, arn[action.partition(":")[0]], {"aws:PrincipalArn": role}
            ).explicit
        ]

    assert list_denied(break_glass) == []
    assert list_denied(deployer) == ["kms:ScheduleKeyDeletion", "s3:DeleteBucket"]
    assert list_denied(f"{IAM}:role/admin") == ["kms:ScheduleKeyDeletion", "s3:DeleteBucket", "s3:PutBucketVersioning"]


@pytest.mark.apply
def test_the_root_module_of_the_page_moves_its_state_into_its_own_bucket(
    tmp_path: Path, own: tuple[Any, dict[str, str]]
) -> None:
    sandbox, variables = own
    (block,) = ROOT_MODULE.findall((ROOT / "modules" / "bootstrap" / "README.md").read_text())
    assert textwrap.dedent(block) == (ROOT / "envs" / "dev" / "bootstrap" / "main.tf").read_text()
    copy_modules(tmp_path / "modules")
    shutil.copytree(ROOT / "envs" / "dev" / "deployer", tmp_path / "envs" / "dev" / "deployer")
    folder = tmp_path / "envs" / "dev" / "bootstrap"
    folder.mkdir()
    (folder / "terraform.tfvars").write_text('repository = "acme/platform"\n')
    (folder / "main.tf").write_text(textwrap.dedent(block))
    driver = terraform(folder, variables)
    plan(driver)
    apply(driver)
    outputs = json.loads(driver.execute_command("output", "-json").out)["bootstrap"]["value"]
    backend = outputs["backends"]["bootstrap"]
    lines = "".join(f"    {name} = {json.dumps(value)}\n" for name, value in backend.items())
    (folder / "backend.tf").write_text(f'terraform {{\n  backend "s3" {{\n{lines}  }}\n}}\n')
    driver.execute_command("init", "-migrate-state", "-force-copy")
    assert describe_changes(plan(driver)) == ""
    state = sandbox.client("s3").get_object(Bucket=backend["bucket"], Key="bootstrap/terraform.tfstate")
    assert json.loads(state["Body"].read())["resources"]
    assert state["SSEKMSKeyId"] == outputs["kms_key_arn"]
    block = sandbox.client("s3control").get_public_access_block(AccountId="123456789012")
    assert set(block["PublicAccessBlockConfiguration"].values()) == {True}
    attached = sandbox.client("iam").list_attached_role_policies(RoleName="deployer-smlops-dev-apply")
    documents = {f"deployer-smlops-dev-{file.stem}" for file in (ROOT / "envs/dev/deployer").glob("*.json")}
    assert {one["PolicyName"] for one in attached["AttachedPolicies"]} == documents
