"""Three environments in three accounts, applied and promoted to by the CI roles, with IAM enforced."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import pytest

from clone import synth
from clone.commands import promote, rollback
from envs import settings
from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT, Terraform, list_changes
from tests.envs import iam_table
from tests.envs.account import CiAccount
from tests.envs.forbidden_acts import PHASES
from tests.envs.test_golden_path import MODEL
from tests.envs.test_promotion import Checkout, read_prediction, register_version, review_scope, use_checkout
from tests.provider import SANDBOX_LOGS
from tests.review_checks import list_blocking_gates
from tests.sandbox.support import IMAGE, create_tar

pytestmark = [pytest.mark.release, pytest.mark.apply]

#: Environments in the order of a promotion.
CHAIN = ("dev", "staging", "prod")


@pytest.fixture
def enforcing(tmp_path: Path) -> Iterator[Sandbox]:
    """Yield a sandbox of its own for each test, which enforces IAM: tests leave the resources of `bootstrap`."""
    log = tmp_path / "sandbox.log"
    SANDBOX_LOGS.append(log)
    with Sandbox.start(log=log, enforce_iam=True) as sandbox:
        yield sandbox


def create_client(account: CiAccount, service: str) -> Any:
    """Return a client of the account's root."""
    return make_client(service, account.settings.region, account.sandbox.endpoint, account.settings.account_id)


def find_bucket(account: CiAccount) -> str:
    """Return the bucket of models."""
    return f"{account.settings.name_prefix}-artifacts-{account.settings.account_id}-{account.settings.region}"


def register_packages(account: CiAccount) -> dict[str, str]:
    """Register an approved package of each served model, and return the ARNs by model."""
    prefix, s3, sagemaker = (
        account.settings.name_prefix,
        create_client(account, "s3"),
        create_client(account, "sagemaker"),
    )
    bucket = find_bucket(account)
    packages = {}
    for model in account.settings.model_dump()["models"]:
        key = f"models/{model}/model.tar.gz"
        s3.put_object(Bucket=bucket, Key=key, Body=create_tar(code__inference_py=MODEL))
        packages[model] = sagemaker.create_model_package(
            ModelPackageGroupName=f"{prefix}-{model}".replace("_", "-"),
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{key}"}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )["ModelPackageArn"]
    return packages


def delete_packages(account: CiAccount, packages: Iterable[str]) -> None:
    """Delete the packages: destroy can delete only an empty group."""
    for arn in packages:
        create_client(account, "sagemaker").delete_model_package(ModelPackageName=arn)


def test_each_role_does_its_whole_job_and_no_forbidden_act(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "repository").mkdir()
    measured = iam_table.measure(tmp_path)
    assert [f"{one.name}: {act}" for one in measured for act in one.allowed_acts] == []
    assert [f"{one.name}: {act}" for one in measured for act in one.undecided_acts] == []
    by_role = {one.name: one for one in measured}
    assert all(
        by_role[role].needed_actions and by_role[role].denied_acts for role in (*PHASES, "plan", "apply", "promote")
    )
    table = "\n".join(iam_table.format_table(measured))
    with capsys.disabled():
        print("", table, "", iam_table.format_groups(measured), sep="\n")
    assert f"\n\n{table}\n\n" in (ROOT / iam_table.PAGE).read_text(), f"{iam_table.PAGE}: replace its table by this one"


@pytest.mark.parametrize("name", synth.list_names()[1])
def test_ci_applies_and_destroys_an_environment_of_its_account_with_its_roles(
    tmp_path: Path, name: str, enforcing: Sandbox, modules: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    account = CiAccount(enforcing, tmp_path, settings.load(ROOT / "envs" / name), modules)
    with account.duration.measure():
        account.prepare(deletion_protection=False)
        with (
            account.run_terraform(account.folder, account.get_ci("plan")) as planning,
            account.run_terraform(account.folder, account.get_ci("apply")) as applying,
        ):
            planned = planning.plan(tmp_path / "tfplan")
            assert {tuple(actions) for actions in list_changes(planned).values()} == {("create",)}
            with pytest.raises(UserError, match="is not authorized to perform"):
                planning.apply("-target=module.storage")
            applying.apply()
            assert list_changes(planning.plan(tmp_path / "tfplan")) == {}

            packages = register_packages(account)
            (account.folder / synth.PACKAGES).write_text(json.dumps({"model_packages": packages}))
            applying.apply()
            second = planning.plan(tmp_path / "tfplan")
            assert list_changes(second) == {}
            resources = len(applying.run("state", "list").split())

            delete_packages(account, packages.values())
            applying.apply("-destroy")
            assert applying.run("state", "list") == ""
    with capsys.disabled():
        print(
            f"\n{name}: {resources} resources in account {account.settings.account_id}, "
            f"{account.duration.wall:.0f} s, of which {account.duration.processor:.0f} s of processor time"
        )


def test_ci_promotes_packages_of_dev_to_staging_and_prod_and_back_with_its_roles(
    tmp_path: Path,
    enforcing: Sandbox,
    modules: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    accounts = {name: CiAccount(enforcing, tmp_path, settings.load(ROOT / "envs" / name), modules) for name in CHAIN}
    (tmp_path / "envs" / "catalogue").symlink_to(ROOT / "envs" / "catalogue")
    texts = {name: (ROOT / "envs" / name / settings.FILE).read_text() for name in CHAIN}
    checkout = Checkout(tmp_path, capfd, texts)
    use_checkout(monkeypatch, tmp_path, enforcing)
    dev = accounts["dev"]
    with ExitStack() as stack:
        engines: dict[str, tuple[Terraform, Terraform]] = {}
        key_arns: list[str] = []  # of dev, known after its apply
        for name, account in accounts.items():
            account.prepare(deletion_protection=False, access={"decrypt_key_arns": key_arns})
            planning, applying = (
                stack.enter_context(account.run_terraform(account.folder, account.get_ci(kind)))
                for kind in ("plan", "apply")
            )
            applying.apply()
            engines[name] = planning, applying
            key = create_client(dev, "kms").describe_key(KeyId="alias/smlops-dev")
            key_arns = [key["KeyMetadata"]["Arn"]]

        def change(name: str, command: Any, *arguments: str) -> Any:
            """Pin a package with the role promote, apply the reviewed plan, and return the endpoint's prediction."""
            for variable, value in accounts[name].get_ci("promote").items():
                monkeypatch.setenv(variable, value)
            monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of its first client
            only = checkout.change(command, name, *arguments)
            planning, applying = engines[name]
            reviewed = review_scope(planning.plan(tmp_path / "tfplan"), only)
            assert reviewed.changes
            assert list_blocking_gates(reviewed) == [], reviewed.gates
            applying.apply()
            return read_prediction(enforcing, name, accounts[name].settings.account_id)

        s3, sagemaker = (create_client(dev, service) for service in ("s3", "sagemaker"))
        packages = []
        for version in (1, 2):
            packages.append(register_version(s3, sagemaker, find_bucket(dev), version))
            assert change("dev", promote) == version
            for source, target in pairwise(CHAIN):
                assert change(target, promote, "--from", source) == version
        assert [change(name, rollback) for name in reversed(CHAIN)] == [1, 1, 1]

        for planning, _ in engines.values():
            assert list_changes(planning.plan(tmp_path / "tfplan")) == {}
        delete_packages(dev, packages)
        for _, applying in engines.values():
            applying.apply("-destroy")
            assert applying.run("state", "list") == ""
