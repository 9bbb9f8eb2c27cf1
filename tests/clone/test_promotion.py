"""`smlops promote` and `smlops rollback`: the gate, the packages file, the previous package, and the overview."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.main import get_command

from clone import synth
from clone.commands import promote, rollback
from clone.deploy.entry import edit_packages, read_packages, write_package
from clone.promotion import run, scope
from clone.promotion.gate import GateCondition, PromotionRequest, evaluate_gate
from clone.promotion.history import find_previous_package
from clone.promotion.package import PackageAddress, RegisteredPackage, read_package
from envs.promotion_target import DeclaredEndpoint, PromotionTarget
from sagemaker_sandbox import Sandbox
from sustainable_mlops.aws import Clients
from sustainable_mlops.base import program
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.specs.pipeline import MetricGate
from tests.cases import check_cases
from tests.cloned_repository import git
from tests.envs import example
from tests.sandbox.support import IMAGE

pytestmark = pytest.mark.slow

ACCOUNT, OTHER = "123456789012", "222222222222"
CONDITIONS = [
    *("endpoint", "region", "registry", "package", "approval", "metrics"),
    *("carbon", "model", "digests", "image", "age"),
]
CARD = {
    "training_details": {
        "training_job_details": {
            "user_provided_training_metrics": [
                {"name": "validation:auc", "value": 0.76},
                {"name": "validation:logloss", "value": 0.4},
                {"name": "train:auc", "value": 0.7},
            ]
        }
    },
    "additional_information": {
        "custom_details": {"Environment: carbon, operational and embodied": "0.12 kgCO2e (0.1 to 0.2), estimated"}
    },
}


class Registry:
    """A package group with packages, and the environment that accepts them."""

    def __init__(self, sandbox: Sandbox, name: str, folder: Path) -> None:
        self.name = name
        self.clients = Clients(sandbox.client("s3"), sandbox.client("sagemaker"))
        self.clients.sagemaker.create_model_package_group(ModelPackageGroupName=name)
        self.clients.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        self.target = PromotionTarget(
            model="flight_delay",
            environment="staging",
            folder=folder,
            account_id=ACCOUNT,
            region="eu-north-1",
            partition="aws",
            assume_role_arn=None,
            groups={ACCOUNT: name},
            endpoints=(DeclaredEndpoint("serverless_endpoint", "x86"),),
            watched=("flight_delay_serverless",),
        )

    def register(
        self, key: str, metadata: Mapping[str, str | None] | None = None, *, approve: bool = True, card: Any = None
    ) -> PackageAddress:
        """Register a package of a model with this key."""
        etag = self.write(key)
        properties = {"source_digest": "a" * 64, "data_digest:train": "b" * 64, "model_etag": etag, "workload": "1"}
        properties |= {"validation:auc": "0.75", "validation:logloss": "0.5", "train:auc": "0.9"}
        merged = {name: text for name, text in {**properties, **(metadata or {})}.items() if text is not None}
        arn = self.clients.sagemaker.create_model_package(
            ModelPackageGroupName=self.name,
            InferenceSpecification=self.describe(key),
            CustomerMetadataProperties=merged,
            **({"ModelCard": {"ModelCardContent": json.dumps(card), "ModelCardStatus": "Draft"}} if card else {}),
        )["ModelPackageArn"]
        if approve:
            self.update(arn, ModelApprovalStatus="Approved", ApprovalDescription="better than last month's")
        return PackageAddress.parse(arn, "")

    def write(self, key: str, content: str = "model") -> str:
        """Write a model and return its ETag."""
        return str(self.clients.s3.put_object(Bucket=self.name, Key=key, Body=content)["ETag"]).strip('"')

    def describe(self, key: str) -> dict[str, Any]:
        """Return an inference specification with this model."""
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{self.name}/{key}"}
        types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        return {"Containers": [container], **types}

    def update(self, arn: str, **changes: Any) -> None:
        self.clients.sagemaker.update_model_package(ModelPackageArn=arn, **changes)

    def check(
        self, address: PackageAddress, pinned: PackageAddress | None = None, **changes: Any
    ) -> dict[str, GateCondition]:
        """Return the conditions by name."""
        request = PromotionRequest(**{"target": self.target, "address": address, "pinned": pinned, **changes})
        return {one.name: one for one in evaluate_gate(request, self.clients)}


@pytest.fixture(scope="session")
def registries(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Registry]:
    """Return a function that creates a registry with names of its own."""
    names = (f"promotion{number}-flight-delay" for number in range(100))
    return lambda: Registry(sandbox, next(names), tmp_path_factory.mktemp("staging"))


def list_unmet(conditions: dict[str, GateCondition]) -> list[str]:
    return [name for name, condition in conditions.items() if not condition.is_met]


def test_an_approved_package_meets_every_condition(registries: Callable[[], Registry]) -> None:
    registry = registries()
    first, second = registry.register("one"), registry.register("two", card=CARD)
    conditions = registry.check(second, first)
    assert list(conditions) == CONDITIONS
    assert list_unmet(conditions) == []
    assert conditions["approval"].text.startswith("better than last month's; last change 20")
    assert conditions["metrics"].text == (
        "validation:auc 0.76 (pinned: 0.75, maximize), validation:logloss 0.4 (pinned: 0.5, minimize)"
    )
    assert conditions["carbon"].text == "0.12 kgCO2e of training; no limit in the settings"
    assert conditions["model"].text == "model unchanged since its registration"
    assert conditions["digests"].text == "source aaaaaaaaaaaa, train bbbbbbbbbbbb"
    assert conditions["image"].text == "serverless_endpoint on x86: sagemaker-xgboost:3.0-5, x86"
    assert list_unmet(registry.check(first)) == [], "the first package has none to be compared with"


@check_cases(
    ("name", "metadata", "message"),
    [
        ("metrics", {"validation:auc": "0.74"}, "to accept: --accept-metric validation:auc"),
        ("metrics", {"validation:logloss": "0.51"}, "to accept: --accept-metric validation:logloss"),
        ("metrics", {"validation:auc": None}, "validation:auc is missing"),
        ("metrics", dict.fromkeys(("validation:auc", "validation:logloss", "train:auc")), "the package has no metric"),
        ("carbon", {"co2e_kg": "2.5"}, "2.5 kgCO2e of training; the limit (promotion.max_training_kg_co2e) is 2 kg"),
        ("carbon", {"co2e_kg": None}, "not recorded; the limit"),
        ("model", {"model_etag": "0" * 32}, "its ETag differs from the recorded one"),
        ("digests", {"source_digest": None}, "train bbbbbbbbbbbb; no digest of source recorded; promotion.require_dig"),
        ("digests", {"source_digest": "None"}, "no digest of source recorded"),
        ("digests", {"data_digest:train": None}, "no digest of data recorded"),
        ("digests", {"data_digest:train": "raw/churn/current/"}, "no digest of data recorded"),
        ("metrics", {"validation:logloss": None, "validation:auc": None, "gini": "1"}, "validation:auc is missing"),
    ],
)
def test_the_gate_names_the_condition_that_a_package_does_not_meet(
    registries: Callable[[], Registry], name: str, metadata: dict[str, str | None], message: str
) -> None:
    registry = registries()
    registry.target = replace(registry.target, max_training_kg_co2e=2.0, require_digests=True)
    first = registry.register("one", {"co2e_kg": "1"})
    second = registry.register("two", {"co2e_kg": "1", **metadata})
    conditions = registry.check(second, first)
    assert list_unmet(conditions) == [name]
    assert message in conditions[name].text
    if name == "digests":
        returning = registry.check(second, first, is_rollback=True)
        assert list_unmet(returning) == [], "it was in service before the setting"
        assert returning[name].text.endswith("; a rollback does not need them")


def test_a_package_without_approval_is_refused(registries: Callable[[], Registry]) -> None:
    registry = registries()
    address = registry.register("one", approve=False)
    assert registry.check(address)["approval"].text == (
        "the package is PendingManualApproval; approve it: aws sagemaker update-model-package --model-package-arn "
        f"{address.arn} --model-approval-status Approved --region {address.region}"
    )
    registry.update(address.arn, ModelApprovalStatus="Rejected")
    assert list_unmet(registry.check(address)) == ["approval"]


def test_the_digest_of_a_data_set_is_part_of_its_key(registries: Callable[[], Registry]) -> None:
    registry = registries()
    address = registry.register("one", {"data_digest:train": "raw/churn/0123456789abcdef/"})
    assert registry.check(address)["digests"].text == "source aaaaaaaaaaaa, train 0123456789ab"


def test_digests_are_optional_by_default(registries: Callable[[], Registry]) -> None:
    registry = registries()
    address = registry.register("one", {"source_digest": None, "data_digest:train": None})
    assert registry.check(address)["digests"] == GateCondition(
        "digests", True, "no digest of source and data recorded; promotion.require_digests is false"
    )


X86 = IMAGE
ARM = IMAGE.replace("sagemaker-xgboost:3.0-5", "sagemaker-xgboost-arm64:1")
OWN = f"{ACCOUNT}.dkr.ecr.eu-north-1.amazonaws.com/smlops/churn:1"
GRAVITON = DeclaredEndpoint("realtime_endpoint", "graviton")
SERVERLESS = DeclaredEndpoint("serverless_endpoint", "x86")
SETTING = "inference_specification_name"


@check_cases(
    ("endpoint", "images", "is_met", "text"),
    [
        (GRAVITON, {None: X86}, False, f"runs on graviton, and {X86} is for x86; add an inference specification with"),
        (GRAVITON, {None: X86, "arm": ARM}, False, f"; set models.flight_delay.realtime_endpoint.{SETTING}: arm"),
        (replace(GRAVITON, specification="arm"), {None: X86, "arm": ARM}, True, "sagemaker-xgboost-arm64:1, graviton"),
        (replace(GRAVITON, specification="x"), {None: ARM}, False, "no inference specification x (additional: none)"),
        (replace(SERVERLESS, specification="a"), {None: X86, "a": ARM}, False, "; remove models.flight_delay.server"),
        (GRAVITON, {None: OWN}, True, "realtime_endpoint on graviton: churn:1, its name does not show a processor"),
        (GRAVITON, {None: OWN.replace(ACCOUNT, OTHER)}, True, "churn:1, its name does not show a processor"),
        (replace(GRAVITON, silicon="gpu"), {None: X86}, False, "is for x86; add an inference specification with"),
        (
            replace(GRAVITON, silicon="gpu"),
            {None: f"{OWN}-amd64"},
            True,
            "endpoint on gpu: churn:1-amd64, x86",
        ),
        (replace(GRAVITON, silicon="inferentia2"), {None: ARM}, False, "is for graviton"),
        (replace(GRAVITON, silicon="inferentia2"), {None: X86}, False, "is for x86"),
        (replace(GRAVITON, silicon="inferentia2"), {None: OWN}, False, f"{OWN} is no Neuron image: its name does not"),
        (replace(GRAVITON, silicon="inferentia2"), {None: f"{OWN}-neuronx"}, True, "churn:1-neuronx, inferentia2"),
        (SERVERLESS, {None: f"{OWN}-neuron-x86"}, False, "runs on x86, and"),
        (SERVERLESS, {None: f"{OWN}-gpu-x86"}, False, "is for x86 and gpu"),
        (SERVERLESS, {None: OWN}, True, "serverless_endpoint on x86: churn:1, its name does not show a processor"),
        (SERVERLESS, {None: OWN.replace(ACCOUNT, OTHER)}, False, "replicate_to of modules/images copies images there"),
        (
            SERVERLESS,
            {None: OWN.replace(ACCOUNT, OTHER), "copy": OWN},
            False,
            f"of account {ACCOUNT} nor of AWS; set models.flight_delay.serverless_endpoint.{SETTING}: copy",
        ),
        (GRAVITON, {None: OWN.replace("north", "west")}, False, "is in eu-west-1, and SageMaker pulls only images of"),
        (SERVERLESS, {None: "registry.example.com/churn:1"}, False, f"is neither of account {ACCOUNT} nor of AWS"),
        (GRAVITON, {None: "registry.example.com/churn:1"}, True, "its name does not show a processor"),
    ],
)
def test_an_image_that_cannot_run_in_an_endpoint_is_refused(
    registries: Callable[[], Registry],
    monkeypatch: pytest.MonkeyPatch,
    endpoint: DeclaredEndpoint,
    images: dict[str | None, str],
    is_met: bool,
    text: str,
) -> None:
    registry = registries()
    registry.target = replace(registry.target, endpoints=(endpoint,))
    address = registry.register("one")

    def read_changed(*arguments: Any) -> RegisteredPackage:
        package = read_package(*arguments)
        model = package.fields["InferenceSpecification"]["Containers"][0]
        main, *others = ({"Name": name, "Containers": [{**model, "Image": image}]} for name, image in images.items())
        changes = {"InferenceSpecification": main, "AdditionalInferenceSpecifications": others}
        return replace(package, fields={**package.fields, **changes})

    monkeypatch.setattr("clone.promotion.gate.read_package", read_changed)
    condition = registry.check(address)["image"]
    assert (condition.is_met, text in condition.text) == (is_met, True), condition.text
    assert list_unmet(registry.check(address)) == ([] if is_met else ["image"])


@check_cases(
    ("container", "message"),
    [
        (
            {"ModelDataUrl": "https://s3.eu-north-1.amazonaws.com/BUCKET/none.tar.gz"},
            "none.tar.gz is missing, or may not be read; ",
        ),
        ({"ModelDataUrl": "https://example.com/model.tar.gz"}, "is not the address of an object in S3"),
        (
            {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://BUCKET/models/"}}},
            "models/ is missing, or may not be read; ",
        ),
        ({}, "the package has no model in S3"),
        ({"ModelDataUrl": "s3://BUCKET/one", "ModelDataETag": "0" * 32}, "its ETag differs"),
    ],
)
def test_a_model_that_cannot_be_compared_is_refused(
    registries: Callable[[], Registry], monkeypatch: pytest.MonkeyPatch, container: dict[str, Any], message: str
) -> None:
    registry = registries()
    address = registry.register("one")
    changed = json.loads(json.dumps(container).replace("BUCKET", registry.name))

    def read_changed(*arguments: Any) -> RegisteredPackage:
        package = read_package(*arguments)
        return replace(package, fields={**package.fields, "InferenceSpecification": {"Containers": [changed]}})

    monkeypatch.setattr("clone.promotion.gate.read_package", read_changed)
    assert message in registry.check(address)["model"].text
    assert list_unmet(registry.check(address)) == ["model"]


def test_a_model_of_several_objects_is_compared_by_their_dates(
    registries: Callable[[], Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, age = registries(), timedelta(0)
    registry.write("models/llm/one.safetensors")
    registry.write("models/llm/two.safetensors")
    address = registry.register("one")
    source = {"S3Uri": f"s3://{registry.name}/models/llm/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    specification = {"Containers": [{"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}]}

    def read_changed(*arguments: Any) -> RegisteredPackage:
        package = read_package(*arguments)
        changes = {"InferenceSpecification": specification, "CreationTime": package.created_at - age}
        return replace(package, fields={**package.fields, **changes})

    monkeypatch.setattr("clone.promotion.gate.read_package", read_changed)
    model = registry.check(address)["model"]
    assert (model.is_met, "(by its date; no ETag recorded)" in model.text) == (True, True)
    age = timedelta(days=1)
    model = registry.check(address)["model"]
    assert (model.is_met, "it was written later" in model.text) == (False, True)


@check_cases(
    "card",
    [
        {"training_details": None, "additional_information": None},
        {"training_details": {"training_job_details": {"user_provided_training_metrics": [{"name": "auc"}, None]}}},
        {"additional_information": {"custom_details": []}},
        [],
    ],
)
def test_a_card_with_missing_parts_has_no_metrics_and_no_carbon(card: Any) -> None:
    address = PackageAddress.parse(f"arn:aws:sagemaker:eu-north-1:{ACCOUNT}:model-package/m/1", "package")
    package = RegisteredPackage(address, {"ModelCard": {"ModelCardContent": json.dumps(card)}})
    assert (package.metrics, package.training_kg_co2e) == ({}, None)


def test_a_metric_whose_goal_is_unknown_needs_a_decision(registries: Callable[[], Registry]) -> None:
    registry = registries()
    alone = {"validation:auc": None, "validation:logloss": None, "train:auc": None}
    first = registry.register("one", {**alone, "false_positive_rate": "0.5"})
    second = registry.register("two", {**alone, "false_positive_rate": "0.9"})
    condition = registry.check(second, first)["metrics"]
    assert (condition.is_met, condition.text) == (
        False,
        "false_positive_rate 0.9 (pinned: 0.5, goal unknown); to accept: --accept-metric false_positive_rate",
    )


def test_a_metric_whose_goal_is_unknown_is_compared_beside_others(registries: Callable[[], Registry]) -> None:
    registry = registries()
    first = registry.register("one", {"test:hit_rate": "0.9"})
    worse, equal = (registry.register(name, {"test:hit_rate": name}) for name in ("0.1", "0.9"))
    condition = registry.check(worse, first)["metrics"]
    assert not condition.is_met
    assert "test:hit_rate 0.1 (pinned: 0.9, goal unknown)" in condition.text
    assert condition.text.endswith("; to accept: --accept-metric test:hit_rate")
    assert registry.check(worse, first, accepted_metrics=["test:hit_rate"])["metrics"].is_met
    assert registry.check(equal, first)["metrics"].is_met


@check_cases("name", ["test:spearman", "test:r2"])
def test_a_worse_metric_is_refused_beside_an_equal_one(registries: Callable[[], Registry], name: str) -> None:
    registry = registries()
    first, second = (registry.register(value, {name: value}) for value in ("0.9", "0.1"))
    assert f"{name} 0.1 (pinned: 0.9, maximize)" in registry.check(second, first)["metrics"].text
    assert list_unmet(registry.check(second, first)) == ["metrics"]


def test_a_model_that_changed_after_its_registration_is_refused(
    registries: Callable[[], Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = registries()
    address = registry.register("one")
    registry.write("one", "another model")
    assert list_unmet(registry.check(address)) == ["model"]
    registry.clients.s3.delete_object(Bucket=registry.name, Key="one")
    assert registry.check(address)["model"].text.startswith(
        f"the model s3://{registry.name}/one is missing, or may not be read; "
    )

    extended = registry.register("two")
    registry.write("three")
    added = {"Name": "graviton", **registry.describe("three")}
    registry.update(extended.arn, AdditionalInferenceSpecificationsToAdd=[added])
    assert "the package has several models" in registry.check(extended)["model"].text

    unrecorded = registry.register("four", {"model_etag": None})
    assert "by its date; no ETag recorded" in registry.check(unrecorded)["model"].text

    def read_earlier(*arguments: Any) -> RegisteredPackage:
        package = read_package(*arguments)
        return replace(package, fields={**package.fields, "CreationTime": datetime(2020, 1, 1, tzinfo=UTC)})

    monkeypatch.setattr("clone.promotion.gate.read_package", read_earlier)
    assert registry.check(unrecorded)["model"].text.endswith(
        "it was written later; register the model again with smlops register"
    )


def test_a_foreign_package_is_refused_before_it_is_read(registries: Callable[[], Registry]) -> None:
    registry = registries()
    address = registry.register("one")
    arn = address.arn
    for changed, name, message in (
        (
            arn.replace(ACCOUNT, OTHER),
            "registry",
            f"promotion.registries of envs/staging does not contain account {OTHER}; add it",
        ),
        (arn.replace("-flight-delay", "-churn"), "registry", "is not the package group of flight_delay in account"),
        (arn.replace("eu-north-1", "eu-west-3"), "region", "SageMaker deploys packages only in their Region"),
    ):
        conditions = registry.check(PackageAddress.parse(changed, ""))
        assert list_unmet(conditions) == [name]
        assert message in conditions[name].text
        assert "package" not in conditions
    absent = registry.check(PackageAddress.parse(f"{arn}9", ""))
    assert list_unmet(absent) == ["package"]
    registry.target = replace(registry.target, endpoints=())
    assert list_unmet(registry.check(address)) == ["endpoint"]


def test_an_older_package_is_for_a_rollback_only(registries: Callable[[], Registry]) -> None:
    registry = registries()
    first, second = registry.register("one"), registry.register("two")
    older = registry.check(first, second)
    assert list_unmet(older) == ["age"]
    assert f"smlops rollback flight_delay --environment staging --package {first.arn}" in older["age"].text
    assert list(registry.check(first, second, is_rollback=True)) == CONDITIONS[:-1]
    other = registries().register("one")
    registry.target = replace(registry.target, groups={ACCOUNT: other.group})
    assert list_unmet(registry.check(other, second)) == [], "in another group, the time of the registration decides"


def test_a_person_may_accept_a_worse_metric(registries: Callable[[], Registry]) -> None:
    registry = registries()
    first = registry.register("one")
    worse = registry.register("two", {"validation:auc": "0.7", "validation:logloss": "0.6"})
    assert list_unmet(registry.check(worse, first, accepted_metrics=["validation:auc"])) == ["metrics"]
    names = ["validation:auc", "validation:logloss"]
    assert (
        "0.7 (pinned: 0.75, maximize), accepted" in registry.check(worse, first, accepted_metrics=names)["metrics"].text
    )
    registry.clients.sagemaker.delete_model_package(ModelPackageName=first.arn)
    lost = registry.check(worse, first)["metrics"]
    assert not lost.is_met
    assert "the pinned package cannot be read" in lost.text
    assert registry.check(worse, first, accepted_metrics=names)["metrics"].is_met


def test_the_packages_file_keeps_its_line_endings(tmp_path: Path) -> None:
    file = tmp_path / "models.auto.tfvars.json"
    before = b'{\r\n  "model_packages": {\r\n    "a": "arn:1"\r\n  }\r\n}\r\n'
    file.write_bytes(before)
    assert write_package(tmp_path, "a", "arn:2")
    assert file.read_bytes() == before.replace(b"arn:1", b"arn:2")


def test_the_gate_of_the_pipeline_decides_which_metric_counts(registries: Callable[[], Registry]) -> None:
    registry = registries()
    first, second = registry.register("one"), registry.register("two", {"validation:auc": "0.7"})
    metric_gate = MetricGate(metric="validation:auc", goal="minimize", parameter="p")
    registry.target = replace(registry.target, gate=metric_gate)
    assert registry.check(second, first)["metrics"].text == "validation:auc 0.7 (pinned: 0.75, minimize)"


@check_cases(
    ("text", "after"),
    [
        ('{"model_packages": {"b": "arn:1"}}', '{"model_packages": {"b": "arn:1", "a": "arn:2"}}'),
        ('{"model_packages":\n\t{"a":"arn:1"}, "more": 1}\n', '{"model_packages":\n\t{"a":"arn:2"}, "more": 1}\n'),
        (
            '{"note": "\\"a\\": ", "model_packages": {"a": "arn:1"}}',
            '{"note": "\\"a\\": ", "model_packages": {"a": "arn:2"}}',
        ),
        ('{"model_packages": {}}', '{\n  "model_packages": {\n    "a": "arn:2"\n  }\n}\n'),
        ('{"model_packages": {"a": "arn:2"}}', None),
    ],
)
def test_nothing_but_the_package_changes_in_the_file(text: str, after: str | None, tmp_path: Path) -> None:
    (tmp_path / synth.PACKAGES).write_text(text)
    edited = edit_packages(tmp_path, "a", "arn:2")
    assert edited == after


def pin(folder: Path, package: str | None, *, commit: bool = True) -> None:
    """Write a package into the packages file of a git checkout, and commit it."""
    packages = {"flight_delay": package} if package else {}
    (folder / synth.PACKAGES).write_text(json.dumps({"model_packages": packages}))
    if commit:
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "--allow-empty", "-m", str(package))


def test_a_rollback_takes_the_earlier_package_from_git(tmp_path: Path) -> None:
    pin(tmp_path, "arn:1", commit=False)
    with pytest.raises(UserError, match=r"git cannot read the history: not a git repository.*pass --package ARN"):
        find_previous_package(tmp_path, "flight_delay")
    git(tmp_path, "init", "-q", "-b", "main")
    pin(tmp_path, None)
    with pytest.raises(UserError, match="pins no package of flight_delay, so there is nothing to roll back"):
        find_previous_package(tmp_path, "flight_delay")
    pin(tmp_path, "arn:1")
    with pytest.raises(UserError, match="its git history has no other package of flight_delay than arn:1"):
        find_previous_package(tmp_path, "flight_delay")
    pin(tmp_path, "arn:2", commit=False)
    assert find_previous_package(tmp_path, "flight_delay") == "arn:1", "before the commit, too"
    pin(tmp_path, "arn:2")
    assert find_previous_package(tmp_path, "flight_delay") == "arn:1"
    pin(tmp_path, "arn:1")
    assert find_previous_package(tmp_path, "flight_delay") == "arn:2", "a second rollback returns to the newer one"


class Checkout:
    """A git checkout with the environments dev and staging, and commands on the sandbox."""

    def __init__(self, folder: Path, registry: Registry, capfd: pytest.CaptureFixture[str]) -> None:
        self.envs = folder / "envs"
        self.staging = self.envs / "staging"
        self._capfd = capfd
        shutil.copytree(example.FOLDER / "catalogue", self.envs / "catalogue")
        prefix = registry.name.removesuffix("-flight-delay")
        for name in ("dev", "staging"):
            shutil.copytree(example.DEV, self.envs / name)
            settings = self.envs / name / "settings.yaml"
            text = settings.read_text().replace("environment: dev", f"environment: {name}")
            settings.write_text(text.replace("name_prefix: smlops-dev", f"name_prefix: {prefix}"))
            pin(self.envs / name, None, commit=False)
        git(folder, "init", "-q", "-b", "main")

    def call(self, app: Any, *arguments: str) -> tuple[int, str, str]:
        """Run a command, and return its exit code, stdout and stderr."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["smlops", *arguments])
            patch.setenv("COLUMNS", "120")
            with pytest.raises(SystemExit) as end:
                program.run(lambda: get_command(app.app)(list(arguments), prog_name="smlops"))
        return (int(end.value.code or 0), *self._capfd.readouterr())


@pytest.fixture
def operations(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the AWS operations that commands request of the sandbox."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    requested: list[str] = []
    session = boto3.Session()
    session.events.register("before-call", lambda model, **_: requested.append(model.name))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    return requested


@pytest.fixture
def checkout(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Checkout:
    for module in (run, scope, synth):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return Checkout(tmp_path, registry, capfd)


@pytest.fixture
def registry(registries: Callable[[], Registry]) -> Registry:
    return registries()


def has_only_reads(operations: Sequence[str]) -> bool:
    return bool(operations) and all(name.startswith(("Describe", "Get", "Head", "List")) for name in operations)


def test_a_package_is_promoted_and_rolled_back(checkout: Checkout, registry: Registry, operations: list[str]) -> None:
    first, second = registry.register("one"), registry.register("two", {"validation:auc": "0.8"})
    pin(checkout.envs / "dev", first.arn)
    command = ("flight_delay", "--from", "dev", "--to", "staging")
    before = (checkout.staging / synth.PACKAGES).read_text()
    code, out, _ = checkout.call(promote, *command, "--dry-run")
    assert code == 0
    assert out.endswith(f"would change flight_delay: none -> {first.label}\n")
    assert (checkout.staging / synth.PACKAGES).read_text() == before
    code, out, _ = checkout.call(promote, *command)
    assert code == 0
    assert read_packages(checkout.staging) == {"model_packages": {"flight_delay": first.arn}}
    assert "smlops review plan.json --only 'module.serverless_endpoint[\"flight_delay\"]' --only " in out
    assert [line.split()[0] for line in out.splitlines()][: len(CONDITIONS)] == CONDITIONS
    git(checkout.staging, "add", "-A")
    git(checkout.staging, "commit", "-q", "-m", "first")

    code, out, _ = checkout.call(promote, "flight_delay", "--to", "staging", "--json")
    result = json.loads(out)
    assert (code, result["outcome"], result["package"]) == (0, "written", second.arn), "the newest approved one"
    assert "--only 'module.serverless_endpoint[\"flight_delay\"]'" in result["commands"][2]
    assert "observability" not in result["commands"][2], "the alarms of the endpoint exist"
    assert checkout.call(promote, "flight_delay", "--to", "staging")[1].endswith("already; nothing changed.\n")

    code, _, error = checkout.call(rollback, "flight_delay", "--environment", "staging")
    assert code == 2
    assert error.endswith("to accept: --accept-metric validation:auc; nothing was written\n")
    accepted = ("--accept-metric", "validation:auc")
    code, out, _ = checkout.call(rollback, "flight_delay", "--environment", "staging", *accepted)
    assert (code, read_packages(checkout.staging)["model_packages"]["flight_delay"]) == (0, first.arn)
    assert has_only_reads(operations)


@pytest.mark.usefixtures("operations")
def test_the_scope_of_a_change_has_the_models_whose_packages_differ(checkout: Checkout) -> None:
    def read_scope() -> list[str]:
        code, out, error = checkout.call(promote, "--changed-since", "main")
        assert code == 0, error
        return out.splitlines()

    package = "arn:aws:sagemaker:eu-north-1:123456789012:model-package/smlops-dev-flight-delay/"
    pin(checkout.staging, None)
    git(checkout.staging, "switch", "-q", "-c", "change")
    pin(checkout.staging, f"{package}1")
    endpoint = 'staging:module.serverless_endpoint["flight_delay"]'
    assert read_scope() == [
        endpoint,
        'staging:module.observability.*.*["flight_delay_serverless*"]',
        "staging:module.observability.aws_cloudwatch_dashboard.this",
    ], "a first package creates the alarms of its endpoint"
    git(checkout.staging, "branch", "-q", "-f", "main")
    git(checkout.staging, "branch", "-q", "old")
    pin(checkout.staging, f"{package}2")
    assert read_scope() == [endpoint]
    git(checkout.staging, "switch", "-q", "old")
    git(checkout.staging, "commit", "-q", "--allow-empty", "-m", "nothing")
    git(checkout.staging, "branch", "-q", "-f", "main", "change")
    assert read_scope() == ["nothing"], "packages that were merged after the branch are no part of it"
    (checkout.staging / "settings.yaml").write_text("")
    git(checkout.staging, "commit", "-q", "-a", "-m", "settings")
    assert read_scope() == [], "a change of another file may change anything"
    code, _, error = checkout.call(promote, "--changed-since", "absent")
    assert (code, error.count("\n")) == (2, 1)
    assert "git cannot compare" in error


@pytest.mark.usefixtures("operations")
def test_a_change_of_the_packages_file_alone_never_allows_everything(checkout: Checkout) -> None:
    pin(checkout.staging, None)
    git(checkout.staging, "switch", "-q", "-c", "change")
    file = checkout.staging / synth.PACKAGES

    def read_scope(document: str) -> tuple[int, str, str]:
        file.write_text(document)
        git(checkout.staging, "commit", "-q", "-a", "-m", "packages")
        return checkout.call(promote, "--changed-since", "main")

    code, out, _ = read_scope('{"model_packages": {"other": "arn:1"}}')
    assert (code, out) == (0, "nothing\n"), "the environment declares no such model"
    for document, message in (
        ('{"model_packages": {}, "prefix": "x"}', "prefix: must be in another file"),
        ('{"model_packages": []}', "must contain only packages"),
        ("{", "not valid JSON"),
    ):
        code, out, error = read_scope(document)
        assert (code, out, error.count("\n")) == (2, "", 1)
        assert message in error


def test_a_refused_package_ends_with_one_line_and_changes_no_file(
    checkout: Checkout, registry: Registry, operations: list[str]
) -> None:
    pending = registry.register("one", approve=False)
    before = (checkout.staging / synth.PACKAGES).read_bytes()
    for arn, name in (
        (pending.arn, "approval"),
        (pending.arn.replace(ACCOUNT, OTHER), "registry"),
        (f"{pending.arn}9", "package"),
    ):
        code, _, error = checkout.call(promote, "flight_delay", "--to", "staging", "--package", arn)
        assert (code, error.count("\n")) == (2, 1)
        assert error.startswith(f"error: envs/staging does not accept {arn}: {name}: ")
        code, out, _ = checkout.call(promote, "flight_delay", "--to", "staging", "--package", arn, "--json")
        assert (code, json.loads(out)["outcome"], json.loads(out)["commands"]) == (2, "refused", [])
    assert (checkout.staging / synth.PACKAGES).read_bytes() == before
    assert has_only_reads(operations)


@pytest.mark.usefixtures("operations")
@check_cases(
    ("arguments", "message"),
    [
        (("flight_delay",), "--to: pass the environment that receives the package"),
        (("--to", "staging"), "promote: pass a model, such as smlops promote flight_delay --from dev"),
        (("flight_delay", "--to", "stagin"), "--to: there is no environment stagin; did you mean 'staging'?"),
        (
            ("flight_dela", "--to", "staging"),
            "flight_dela: envs/staging has no such model; did you mean 'flight_delay'?",
        ),
        (
            ("flight_delay", "--to", "staging", "--from", "dev"),
            "--from: envs/dev/models.auto.tfvars.json pins no package",
        ),
        (("flight_delay", "--to", "staging", "--from", "staging"), "--from: staging is also the environment of --to"),
        (("flight_delay", "--to", "staging", "--package", "x"), "--package: x is not the ARN of a version"),
        (("flight_delay", "--to", "staging"), "has no approved package; approve one, or pass --from"),
    ],
)
def test_wrong_arguments_are_named_with_the_remedy(
    checkout: Checkout, arguments: tuple[str, ...], message: str
) -> None:
    code, _, error = checkout.call(promote, *arguments)
    assert (code, message in error) == (2, True), error


def test_the_overview_has_each_model_in_each_environment_and_newer_packages(
    checkout: Checkout, registry: Registry, operations: list[str]
) -> None:
    first, second = registry.register("one", {"co2e_kg": "0.3"}), registry.register("two")
    registry.register("three", approve=False)
    pin(checkout.staging, first.arn)
    pin(checkout.envs / "dev", first.arn.replace(ACCOUNT, OTHER))
    code, out, _ = checkout.call(promote, "--json")
    dev, staging = json.loads(out)
    assert (code, dev["environment"], dev["status"]) == (0, "dev", None)
    assert "AccessDenied" in dev["problems"][0]
    assert staging["approval"].startswith("better than last month's; last change")
    assert (staging["status"], staging["training_kg_co2e"], staging["newer_approved"]) == (
        "Approved",
        0.3,
        [second.arn],
    )
    assert staging["metric"] == {"name": "validation:auc", "value": 0.75}
    code, out, _ = checkout.call(promote)
    assert code == 0
    assert "not readable" in out
    assert has_only_reads(operations)


def test_the_overview_has_no_packages_of_the_account_of_the_credentials_for_an_environment_in_another_account(
    checkout: Checkout, registry: Registry
) -> None:
    registry.register("one")
    settings = checkout.staging / "settings.yaml"
    settings.write_text(settings.read_text().replace(ACCOUNT, OTHER))
    code, out, _ = checkout.call(promote, "--json")
    (row,) = (row for row in json.loads(out) if row["environment"] == "staging")
    assert (code, row["newer_approved"]) == (0, [])
    assert f"{OTHER}:model-package-group/{registry.name}" in row["problems"][0]
