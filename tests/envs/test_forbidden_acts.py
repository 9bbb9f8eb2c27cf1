"""No policy of the roles of an environment allows a forbidden act. The policies are those of a plan."""

import json
from typing import Any

import pytest

from clone.deployer.documents import ArnNames, make_documents
from sagemaker_sandbox.enforcement.operations import RequestedOperation
from sagemaker_sandbox.enforcement.required_permissions import RequiredPermission, list_required_permissions
from sagemaker_sandbox.iam.evaluation import AccessRequest, Policy, Principal, PrincipalPolicies, evaluate
from sustainable_mlops.aws.service_model import load_service_model
from sustainable_mlops.base.terraform import ROOT, Terraform
from sustainable_mlops.catalogue.deployer_actions import load_deployer_actions
from tests.envs.forbidden_acts import OTHER_ALIAS, PHASES, Act, Names, list_acts
from tests.modules.examples import summary

ACCOUNT, REGION, PREFIX = "123456789012", "eu-north-1", "smlops-dev"
IAM, KMS = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:kms:{REGION}:{ACCOUNT}"
NAMES = Names(
    environment="dev",
    name_prefix=PREFIX,
    account_id=ACCOUNT,
    region=REGION,
    state_bucket=f"{PREFIX}-state-{ACCOUNT}",
    kms_key_arn=f"{KMS}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    other_key_arn=f"{KMS}:key/99999999-12ab-34cd-56ef-1234567890ab",
    role_arns={phase: f"{IAM}:role/{PREFIX}-{phase.replace('_', '-')}-1" for phase in PHASES},
)
#: Condition keys of the KMS keys by ARN.
KEYS: dict[str, dict[str, Any]] = {
    NAMES.kms_key_arn: {"aws:ResourceTag/environment": "dev", "kms:ResourceAliases": [f"alias/{PREFIX}"]},
    NAMES.other_key_arn: {"kms:ResourceAliases": [OTHER_ALIAS]},
}
CI = ("plan", "apply", "promote")
#: A call that each role must be able to send. It shows that the evaluation reads the policies of the role.
REQUIRED_CALLS = {
    "data_preparation": Act("", "s3", "get_object", {"Bucket": NAMES.data, "Key": "raw/x"}),
    "training": Act("", "s3", "put_object", {"Bucket": NAMES.artifacts, "Key": "models/x", "Body": b"1"}),
    "pipeline": Act(
        "",
        "sagemaker",
        "create_training_job",
        {"TrainingJobName": "pipelines-1-Train", "RoleArn": NAMES.role_arns["training"]},
    ),
    "inference": Act("", "s3", "get_object", {"Bucket": NAMES.artifacts, "Key": "models/x"}),
    "plan": Act("", "s3", "get_object", {"Bucket": NAMES.state_bucket, "Key": "dev/terraform.tfstate"}),
    "apply": Act(
        "",
        "sagemaker",
        "create_model",
        {
            "ModelName": "terraform-x",
            "ExecutionRoleArn": NAMES.role_arns["inference"],
            "Tags": [{"Key": "environment", "Value": "dev"}],
        },
    ),
    "promote": Act("", "s3", "get_object", {"Bucket": NAMES.artifacts, "Key": "models/x"}),
}


def build_root_module() -> dict[str, Any]:
    """Return a root module with the roles of `access` and of `bootstrap`."""
    location = {"name_prefix": PREFIX, "account_id": ACCOUNT, "region": REGION}
    roles = {
        **location,
        "source": "./modules/access",
        "kms_key_arn": NAMES.kms_key_arn,
        "buckets": {
            name: {"arn": f"arn:aws:s3:::{PREFIX}-{name}-{ACCOUNT}-{REGION}"} for name in ("artifacts", "data")
        },
        "feature_group_names": [f"{PREFIX}-flights"],
        "model_package_group_names": [f"{PREFIX}-flight-delay"],
    }
    boundary = f"{IAM}:policy/deployer-{PREFIX}-boundary"
    names = ArnNames(
        "aws",
        REGION,
        ACCOUNT,
        "dev",
        PREFIX,
        NAMES.state_bucket,
        "dev/terraform.tfstate",
        permissions_boundary_arn=boundary,
    )
    kinds = [name for name in load_deployer_actions() if name.startswith("aws_")]
    texts: dict[str, dict[str, str]] = {"plan": {}, "apply": {}}
    for document in make_documents(kinds, names):
        texts[document.name.partition("-")[0]][document.name] = document.text.replace("${aws:", "$${aws:")
    jobs = {"repository": "acme/platform", "branches": ["main"]}
    others = {phase: arn for phase, arn in NAMES.role_arns.items() if phase != "pipeline"}
    bootstrap = {
        **location,
        "source": "./modules/bootstrap",
        "existing_kms_key": {"arn": f"{KMS}:key/55555555-12ab-34cd-56ef-1234567890ab"},
        "environments": {
            "dev": {
                "name_prefix": PREFIX,
                "plan": {"github": [{"repository": "acme/platform"}], "policies": texts["plan"]},
                "apply": {"github": [jobs], "policies": texts["apply"]},
                "promote": {"github": [jobs]},
            }
        },
    }
    # The ARNs of new roles are unknown in a plan, so the role of pipelines passes existing ones.
    calls = {"access": roles, "pipelines": {**roles, "existing_role_arns": others}, "bootstrap": bootstrap}
    return {"module": calls}


@pytest.fixture(scope="module")
def policies(
    tmp_path_factory: pytest.TempPathFactory, offline_environment: dict[str, str]
) -> dict[str, PrincipalPolicies]:
    """Return the policies of each role."""
    folder = tmp_path_factory.mktemp("roles")
    (folder / "modules").symlink_to(ROOT / "modules")
    (folder / "main.tf.json").write_text(json.dumps(build_root_module()))
    provider = {"region": REGION, "skip_credentials_validation": True, "skip_requesting_account_id": True}
    (folder / "provider.tf.json").write_text(json.dumps({"provider": {"aws": [provider]}}))
    engine = Terraform(folder, offline_environment)
    engine.init()
    values = summary(engine.plan(folder / "tfplan"))["values"]

    def read(start: str, part: str) -> list[Policy]:
        return [
            Policy.parse(attributes["policy"])
            for address, attributes in values.items()
            if address.startswith(start) and part in address and attributes.get("policy")
        ]

    role_policies = {
        phase: PrincipalPolicies(
            read(f"module.{'pipelines' if phase == 'pipeline' else 'access'}.aws_iam_role_policy.", f'["{phase}"]')
        )
        for phase in PHASES
    }
    (boundary,) = read("module.bootstrap.aws_iam_policy.boundary", '["dev"]')
    documents = {kind: read("module.bootstrap.aws_iam_policy.this", f"-{kind}-") for kind in ("plan", "apply")}
    documents["apply"] += documents["plan"]
    for kind in CI:
        inline = read(f"module.bootstrap.aws_iam_role_policy.{kind}", '["dev"]')
        role_policies[kind] = PrincipalPolicies([*documents.get(kind, []), *inline], boundary)
    assert all(len(one.identity) > 0 for one in role_policies.values())
    return role_policies


def list_missing_permissions(role: str, act: Act, policies: PrincipalPolicies) -> list[RequiredPermission]:
    """Return the permissions of an act that the policies of a role do not allow.

    The environment's key has its tag, and the other one has an alias. Policies of resources allow nothing more.
    """
    missing = []
    arn = NAMES.role_arns.get(role, f"{IAM}:role/deployer-{PREFIX}-{role}")
    operation = RequestedOperation(
        act.service, load_service_model(act.service).signing_name, act.operation, act.parameters
    )
    for permission in list_required_permissions(operation, ACCOUNT, REGION):
        key = KEYS.get(permission.resource, {})
        keys = {"aws:PrincipalArn": arn, "aws:ResourceAccount": ACCOUNT, **key, **permission.keys}
        request = AccessRequest(Principal(ACCOUNT, arn), permission.action, permission.resource, "", keys)
        if not evaluate(request, policies).allowed:
            missing.append(permission)
    return missing


def grant(permissions: list[RequiredPermission], policies: PrincipalPolicies) -> PrincipalPolicies:
    """Return policies that also allow the permissions, without a boundary."""
    statements = [{"Effect": "Allow", "Action": one.action, "Resource": one.resource} for one in permissions]
    added = Policy.parse({"Version": "2012-10-17", "Statement": statements})
    return PrincipalPolicies([*policies.identity, added])


@pytest.mark.plan
def test_the_promote_role_lists_only_models(policies: dict[str, PrincipalPolicies]) -> None:
    def may_list(**prefix: str) -> bool:
        act = Act("", "s3", "list_objects_v2", {"Bucket": NAMES.artifacts, **prefix})
        return not list_missing_permissions("promote", act, policies["promote"])

    assert may_list(Prefix="models/llm/")
    assert not any((may_list(Prefix="source/"), may_list(Prefix="models"), may_list()))


@pytest.mark.plan
@pytest.mark.parametrize("role", [*PHASES, *CI])
def test_no_role_may_do_a_forbidden_act(role: str, policies: dict[str, PrincipalPolicies]) -> None:
    assert list_missing_permissions(role, REQUIRED_CALLS[role], policies[role]) == []
    acts = list_acts(role, NAMES)
    assert len(acts) > 20
    allowed_acts = [act for act in acts if not list_missing_permissions(role, act, policies[role])]
    assert allowed_acts == [act for act in acts if act.is_blocked]


@pytest.mark.plan
@pytest.mark.parametrize("role", [*PHASES, *CI])
def test_the_check_finds_each_act_that_a_policy_allows(role: str, policies: dict[str, PrincipalPolicies]) -> None:
    for act in list_acts(role, NAMES):
        allowing = grant(list_missing_permissions(role, act, policies[role]), policies[role])
        assert list_missing_permissions(role, act, allowing) == [], act


@pytest.mark.plan
@pytest.mark.parametrize("role", ["pipeline", "apply"])
def test_a_role_that_may_create_models_and_jobs_lacks_only_the_right_to_pass_another_role(
    role: str, policies: dict[str, PrincipalPolicies]
) -> None:
    acts = [act for act in list_acts(role, NAMES) if act.group == "PassRole"]
    assert acts
    for act in acts:
        assert [one.action for one in list_missing_permissions(role, act, policies[role])] == ["iam:PassRole"], act


@pytest.mark.plan
def test_apply_may_tag_its_key_and_a_new_key(policies: dict[str, PrincipalPolicies]) -> None:
    tags = [{"TagKey": "environment", "TagValue": "dev"}]
    for key in (NAMES.kms_key_arn, f"{KMS}:key/new"):
        act = Act("", "kms", "tag_resource", {"KeyId": key, "Tags": tags})
        assert list_missing_permissions("apply", act, policies["apply"]) == [], key
