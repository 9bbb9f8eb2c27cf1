"""The table of actions against AWS's own definitions of them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sustainable_mlops.catalogue import deployer_actions as table
from sustainable_mlops.catalogue.iam_actions import load_iam_actions
from sustainable_mlops.deployer import documents
from sustainable_mlops.deployer.documents import ArnNames, make_documents
from sustainable_mlops.errors import UserError

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
#: What a page of AWS names beside the Service Authorization Reference; the table's `source` has the page.
BEYOND_REFERENCE = {("sagemaker:CreateModel", "ApplyPackagesOfModels")}
#: Refused on anything narrower, though the Service Authorization Reference has a resource for it; the table says `why`.
SCOPED_TO_STAR = {"cloudwatch:DescribeAlarms", "cloudwatch:PutCompositeAlarm"}
STATEMENTS = [
    (document.name, statement) for document in make_documents(TYPES, NAMES) for statement in document.statements
]


def test_every_action_is_one_that_aws_defines() -> None:
    """`iam_actions.csv` is derived from the Service Authorization Reference, which refuses others."""
    assert set(table.list_actions()) == set(load_iam_actions())


@pytest.mark.parametrize(("document", "statement"), STATEMENTS, ids=[one["Sid"] for _, one in STATEMENTS])
def test_a_statement_is_bound_to_arns_and_conditions_that_its_actions_take(document: str, statement: dict) -> None:  # type: ignore[type-arg]
    for action in statement["Action"]:
        known = load_iam_actions()[action]
        if statement["Resource"] == ["*"]:
            assert not known.resources or action in SCOPED_TO_STAR, f"{document}: {action} takes a narrower resource"
        elif (action, statement["Sid"]) not in BEYOND_REFERENCE:
            taken = [arn for arn in statement["Resource"] if known.takes_resource(arn)]
            assert taken, f"{document}: {action} takes none of {statement['Resource']}"
        keys = [key for keys in statement.get("Condition", {}).values() for key in keys]
        assert all(known.takes_condition(key) for key in keys), f"{document}: {action} has not all of {keys}"


def test_every_arn_of_a_statement_is_taken_by_one_of_its_actions() -> None:
    for _, statement in STATEMENTS:
        for arn in set(statement["Resource"]) - {"*"}:
            assert any(load_iam_actions()[action].takes_resource(arn) for action in statement["Action"]), arn


def test_plan_documents_read_and_write_nothing_but_the_lock_of_the_state() -> None:
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


def test_every_star_has_its_reason_and_nothing_else_has_one() -> None:
    for statements in table.load_deployer_actions().values():
        for one in statements:
            assert ("*" in one.resources) == (one.reason is not None), one.name


def test_each_document_fits_into_a_managed_policy_and_a_role_takes_them_all() -> None:
    made = make_documents(TYPES, NAMES)
    assert all(one.characters <= documents.MAX_CHARACTERS for one in made)
    assert len(made) <= 10, "the default quota of managed policies attached to a role"
    assert len({one.name for one in made}) == len(made)
    sids = [statement["Sid"] for one in made for statement in one.statements]
    assert len(set(sids)) == len(sids)


def test_an_area_that_is_too_long_goes_on_in_another_document(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_documents(TYPES, NAMES)
    monkeypatch.setattr(documents, "MOST_CHARACTERS", 2000)
    split = make_documents(TYPES, NAMES)
    assert "apply-sagemaker-2" in {one.name for one in split}
    assert all(one.characters <= 2000 for one in split)
    assert [s for one in split for s in one.statements] == [s for one in whole for s in one.statements]


def test_data_can_be_deleted_only_where_the_environment_is_not_protected() -> None:
    deletes = {"s3:DeleteBucket", "kms:ScheduleKeyDeletion", "sagemaker:DeleteFeatureGroup"}
    assert deletes <= actions(NAMES)
    assert not deletes & actions(replace(NAMES, deletion_protection=True))


def test_roles_are_passed_within_the_prefix_and_to_named_services_alone() -> None:
    passing = [one for _, one in STATEMENTS if "iam:PassRole" in one["Action"]]
    assert {one["Resource"][0] for one in passing} == {"arn:aws:iam::123456789012:role/smlops-dev-*"}
    services = [one["Condition"]["StringEquals"]["iam:PassedToService"] for one in passing]
    assert sorted(services) == [["events.amazonaws.com"], ["sagemaker.amazonaws.com"], ["scheduler.amazonaws.com"]]


def test_a_boundary_and_a_path_of_roles_reach_the_statements_that_make_roles() -> None:
    (made,) = (
        statement
        for one in make_documents(TYPES, replace(NAMES, role_paths=("/", "/mlops/")))
        for statement in one.statements
        if "iam:CreateRole" in statement["Action"]
    )
    assert made["Condition"]["StringEquals"] == {"iam:PermissionsBoundary": [NAMES.permissions_boundary_arn]}
    account = "arn:aws:iam::123456789012:role"
    assert made["Resource"] == [f"{account}/mlops/smlops-dev-*", f"{account}/smlops-dev-*"]


def test_a_key_of_ones_own_is_told_by_its_tag_and_one_that_exists_by_its_arn() -> None:
    def use_of_key(names: ArnNames) -> dict:  # type: ignore[type-arg]
        (found,) = (
            statement
            for one in make_documents(TYPES, names)
            for statement in one.statements
            if statement["Sid"] == "ApplyKeysInUse"
        )
        return found

    existing = "arn:aws:kms:eu-north-1:123456789012:key/2"
    own, other = use_of_key(NAMES), use_of_key(replace(NAMES, existing_kms_key_arn=existing))
    assert own["Resource"] == ["arn:aws:kms:eu-north-1:123456789012:key/*"]
    assert own["Condition"] == {"StringEquals": {"aws:ResourceTag/environment": ["dev"]}}
    assert (other["Resource"], "Condition" in other) == ([existing], False)


def test_a_type_without_a_row_is_one_line_that_names_it_and_the_table() -> None:
    with pytest.raises(UserError, match=r"^deployer_actions.yaml: has no row for aws_lambda_function; add the actions"):
        make_documents(["aws_lambda_function"], NAMES)


def test_statements_of_one_name_must_be_bound_alike(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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


def actions(names: ArnNames) -> set[str]:
    """Every action that the documents allow."""
    return {
        action for one in make_documents(TYPES, names) for statement in one.statements for action in statement["Action"]
    }
