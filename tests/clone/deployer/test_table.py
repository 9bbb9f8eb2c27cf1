"""The table of actions against AWS's own definitions of them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from clone.deployer import documents
from clone.deployer.documents import ArnNames, make_documents
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import deployer_actions as table
from tests.cases import check_cases
from tests.clone.deployer.iam_actions import load_iam_actions
from tests.policy_decisions import decide

NAMES = ArnNames(
    partition="aws",
    region="eu-north-1",
    account_id="123456789012",
    environment="dev",
    name_prefix="smlops-dev",
    state_bucket="smlops-dev-state",
    state_key="dev/terraform.tfstate",
    state_kms_key_arn="arn:aws:kms:eu-north-1:123456789012:key/1",
    permissions_boundary_arn="arn:aws:iam::123456789012:policy/bounds",
    deletion_protection=False,
)
TYPES = sorted(set(table.load_deployer_actions()) - {*table.ALWAYS, table.STATE_KEY})
#: Actions from other pages of AWS than the Service Authorization Reference; `source` in the table is the page.
BEYOND_REFERENCE = {("sagemaker:CreateModel", "ApplyPackagesOfModels")}
#: Actions that AWS refuses on a narrower resource, against its own reference; the table has the `reason`.
SCOPED_TO_STAR = {"cloudwatch:DescribeAlarms", "cloudwatch:PutCompositeAlarm"}
_TAG, _FOR_SERVICE = "aws:ResourceTag/environment", {"kms:GrantIsForAWSResource": "true"}
STATEMENTS = [
    (document.name, statement) for document in make_documents(TYPES, NAMES) for statement in document.statements
]


def test_aws_defines_every_action() -> None:
    """`iam_actions.csv` is derived from the Service Authorization Reference, and its tool refuses other actions."""
    assert set(table.list_actions()) == set(load_iam_actions())


@check_cases(("document", "statement"), STATEMENTS, ids=[one["Sid"] for _, one in STATEMENTS])
def test_actions_accept_the_arns_and_conditions_of_their_statement(document: str, statement: dict) -> None:  # type: ignore[type-arg]
    for action in statement["Action"]:
        known = load_iam_actions()[action]
        if statement["Resource"] == ["*"]:
            assert not known.resources or action in SCOPED_TO_STAR, f"{document}: {action} takes a narrower resource"
        elif (action, statement["Sid"]) not in BEYOND_REFERENCE:
            accepted = [arn for arn in statement["Resource"] if known.takes_resource(arn)]
            assert accepted, f"{document}: {action} takes none of {statement['Resource']}"
        keys = [key for keys in statement.get("Condition", {}).values() for key in keys]
        assert all(known.takes_condition(key) for key in keys), f"{document}: {action} has not all of {keys}"


def test_an_action_accepts_every_arn_of_its_statement() -> None:
    for _, statement in STATEMENTS:
        for arn in set(statement["Resource"]) - {"*"}:
            assert any(load_iam_actions()[action].takes_resource(arn) for action in statement["Action"]), arn


def test_plan_documents_write_only_the_state_lock() -> None:
    changes = {
        (action, statement["Sid"])
        for name, statement in STATEMENTS
        for action in statement["Action"]
        if name.startswith("plan-") and load_iam_actions()[action].access not in ("Read", "List")
    }
    assert changes == {
        ("s3:DeleteObject", "PlanStateLock"),
        ("s3:PutObject", "PlanStateLock"),
        ("kms:Decrypt", "PlanStateKey"),
        ("kms:GenerateDataKey", "PlanStateKey"),
    }


def test_exactly_the_statements_on_star_have_a_reason() -> None:
    for statements in table.load_deployer_actions().values():
        for one in statements:
            assert ("*" in one.resources) == (one.reason is not None), one.name


def test_documents_fit_into_managed_policies_of_one_role() -> None:
    policies = make_documents(TYPES, NAMES)
    assert all(one.characters <= documents.MAX_CHARACTERS for one in policies)
    assert len(policies) <= 10, "the default quota of managed policies attached to a role"
    assert len({one.name for one in policies}) == len(policies)
    sids = [statement["Sid"] for one in policies for statement in one.statements]
    assert len(set(sids)) == len(sids)


def test_a_long_area_is_split_into_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_documents(TYPES, NAMES)
    monkeypatch.setattr(documents, "MAX_CHARACTERS", 2000)
    split = make_documents(TYPES, NAMES)
    assert "apply-sagemaker-2" in {one.name for one in split}
    assert all(one.characters <= 2000 for one in split)
    assert [s for one in split for s in one.statements] == [s for one in whole for s in one.statements]


def test_data_can_be_deleted_only_without_deletion_protection() -> None:
    deletes = {"s3:DeleteBucket", "kms:ScheduleKeyDeletion", "sagemaker:DeleteFeatureGroup"}
    assert deletes <= list_actions(NAMES)
    assert not deletes & list_actions(replace(NAMES, deletion_protection=True))


def test_only_roles_of_the_prefix_are_passed_to_named_services() -> None:
    passing = [one for _, one in STATEMENTS if "iam:PassRole" in one["Action"]]
    assert {one["Resource"][0] for one in passing} == {"arn:aws:iam::123456789012:role/smlops-dev-*"}
    services = [one["Condition"]["StringEquals"]["iam:PassedToService"] for one in passing]
    assert sorted(services) == [
        [f"{service}.amazonaws.com"] for service in ("events", "glue", "sagemaker", "scheduler", "ssm")
    ]


def test_statements_on_roles_have_the_boundary_and_the_paths() -> None:
    (policies,) = (
        statement
        for one in make_documents(TYPES, replace(NAMES, role_paths=("/", "/mlops/")))
        for statement in one.statements
        if "iam:CreateRole" in statement["Action"]
    )
    assert policies["Condition"]["StringEquals"] == {"iam:PermissionsBoundary": [NAMES.permissions_boundary_arn]}
    account = "arn:aws:iam::123456789012:role"
    assert policies["Resource"] == [f"{account}/mlops/smlops-dev-*", f"{account}/smlops-dev-*"]


def test_an_own_key_is_identified_by_tag_and_an_existing_one_by_arn() -> None:
    def use_of_key(names: ArnNames) -> dict:  # type: ignore[type-arg]
        (statement_found,) = (
            statement
            for one in make_documents(TYPES, names)
            for statement in one.statements
            if statement["Sid"] == "ApplyKeysInUse"
        )
        return statement_found

    existing = "arn:aws:kms:eu-north-1:123456789012:key/2"
    own, other = use_of_key(NAMES), use_of_key(replace(NAMES, existing_kms_key_arn=existing))
    assert own["Resource"] == ["arn:aws:kms:eu-north-1:123456789012:key/*"]
    assert own["Condition"] == {"StringEquals": {"aws:ResourceTag/environment": ["dev"]}}
    assert (other["Resource"], "Condition" in other) == ([existing], False)


@check_cases(
    ("action", "keys", "allowed"),
    [
        # The first apply: KMS does not count the tag of the new key yet.
        ("kms:GenerateDataKey", {"kms:ViaService": "sagemaker.eu-north-1.amazonaws.com"}, True),
        ("kms:CreateGrant", {"kms:ViaService": "dynamodb.eu-north-1.amazonaws.com", **_FOR_SERVICE}, True),
        ("kms:GenerateDataKey", {"kms:ViaService": None}, False),
        ("kms:GenerateDataKey", {"kms:ViaService": "secretsmanager.eu-north-1.amazonaws.com"}, False),
        ("kms:CreateGrant", {"kms:ViaService": "dynamodb.eu-north-1.amazonaws.com"}, False),
        ("kms:Decrypt", {"kms:ViaService": "sagemaker.eu-north-1.amazonaws.com", _TAG: "prod"}, False),
        ("kms:Decrypt", {"kms:ViaService": None, _TAG: "dev"}, True),
    ],
)
def test_services_use_a_new_key_for_the_apply_before_its_tag_counts(
    action: str, keys: dict[str, str | None], allowed: bool
) -> None:
    key = "arn:aws:kms:eu-north-1:123456789012:key/2"
    complete = {_TAG: None, "kms:GrantIsForAWSResource": None} | keys
    assert decide([one for _, one in STATEMENTS], action, key, complete).allowed == allowed


def test_a_plan_may_ask_for_a_model_that_was_deleted_outside_terraform() -> None:
    model = "arn:aws:sagemaker:eu-north-1:123456789012:model/terraform-2026"
    plans = [one for document, one in STATEMENTS if document.startswith("plan-")]
    for action in ("sagemaker:DescribeModel", "sagemaker:ListTags"):
        tags = [tag for tag in (None, "dev", "prod") if decide(plans, action, model, {_TAG: tag}).allowed]
        assert tags == [None, "dev"], action


def test_the_error_for_a_missing_row_names_type_and_table() -> None:
    with pytest.raises(UserError, match=r"^deployer_actions.yaml: has no row for aws_lambda_function; add the actions"):
        make_documents(["aws_lambda_function"], NAMES)


def test_statements_of_one_name_must_have_one_scope(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = table.FILE.read_text()
    file = tmp_path / "deployer_actions.yaml"
    file.write_text(re.sub(r"(aws_sqs_queue_policy:\n  - name: )Queues", r"\1Topics", text))
    monkeypatch.setattr(table, "FILE", file)
    table.load_deployer_actions.cache_clear()
    try:
        with pytest.raises(UserError, match="statements named Topics differ"):
            table.load_deployer_actions()
    finally:
        table.load_deployer_actions.cache_clear()


def list_actions(names: ArnNames) -> set[str]:
    """Return every action that the documents allow."""
    return {
        action for one in make_documents(TYPES, names) for statement in one.statements for action in statement["Action"]
    }
