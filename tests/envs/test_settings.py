"""Errors in settings.yaml and their messages."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml

from clone.promotion.images import compare_images
from clone.promotion.package import PackageAddress, RegisteredPackage
from envs import settings
from envs.components.feature_store import FeatureStore
from envs.promotion import read_targets
from envs.settings import EnvironmentSettings
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.settings import load_yaml
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.jobs.register import build_specifications
from sustainable_mlops.jobs.serving import resolve_images
from sustainable_mlops.jobs.spec_files import load_spec_file
from sustainable_mlops.jobs.specs.training import TrainingSpec
from tests.cases import check_cases
from tests.docs.blocks import blocks
from tests.envs import example
from tests.stale_files import suggest_update

DEV = example.DEV / settings.FILE


def edited(folder: Path, path: str, value: Any) -> Path:
    """Write the settings of dev and its catalogue entries to one file, with one changed value; None removes the key."""
    whole = example.load_dev()
    *steps, last = path.split(".")
    inner = whole
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    file = folder / "settings.yaml"
    file.write_text(yaml.safe_dump(whole))
    return file


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("regoin", "eu-north-1", "unknown key; did you mean 'region'?"),
        ("account_id", 123456789012, "account_id: must be text; put it in quotes"),
        ("account_id", "1234", "account_id: '1234' must be the 12 digits of an account"),
        ("name_prefix", "Smlops", "name_prefix: 'Smlops' must be 3 to 24 lower-case letters"),
        ("name_prefix", "smlops--", "name_prefix: 'smlops--' must be 3 to 24 lower-case letters"),
        ("environment", "Dev", "environment: 'Dev' must be 2 to 12 lower-case letters and digits"),
        ("environment", "settings", "environment: 'settings' is a reserved name in envs/; choose another name"),
        ("tags.workload", "flight delay", "tags.workload: 'flight delay' must be letters, digits, - and _"),
        ("models", {"flight-delay": {}}, "models.flight-delay: 'flight-delay' must be 2 to 30 lower-case letters"),
        (
            "models.flight_delay.reader_account_ids",
            ["1"],
            "reader_account_ids[0]: '1' must be the 12 digits of an account",
        ),
        (
            "observability",
            {"by_model": {"flight_delay": {"backlog_slo_seconds": 900}}},
            "observability.by_model.flight_delay.backlog_slo_seconds: the model does not exist or has no "
            "async_endpoint",
        ),
        ("state", None, "state: is missing; add it"),
        (
            "tags.latency_slo",
            "cold_start",
            "tags.latency_slo: each model has its own; move it to envs/catalogue/models/MODEL.yaml, or to "
            "models.MODEL.latency_slo of this file",
        ),
        ("models.flight_delay.latency_slo", "soon", "models.flight_delay.latency_slo: must be 'minutes', 'cold_start'"),
        ("tags.data_class", "secret", "tags.data_class: must be 'public', 'internal' or 'confidential'"),
        ("tags.expires_on", "tomorrow", "tags.expires_on: 'tomorrow'"),
        ("log_retention_days", 13, "log_retention_days: must be 1, 3, 5"),
        ("models.flight_delay.serverless_endpoint.memory_mb", 2000, "memory_mb: must be 1024, 2048"),
        (
            "models.flight_delay.serverless_endpoint.vpc_config",
            {},
            "vpc_config: a serverless endpoint cannot join a VPC",
        ),
        (
            "models.flight_delay.serverless_endpoint.max_concurrency",
            500,
            "max_concurrency: must be less than or equal to 200",
        ),
        (
            "models.flight_delay.realtime_endpoint",
            {"latency_slo_ms": 100, "instance_type": "ml.c8g.large"},
            "instance_type: version 5 of the AWS provider refuses ml.c8g.large",
        ),
        (
            "models.flight_delay.realtime_endpoint",
            {"latency_slo_ms": 100, "silicon": "x86", "instance_type": "ml.m4.xlarge"},
            "models.flight_delay.realtime_endpoint.instance_type: eu-north-1 has no ml.m4.xlarge; use another type",
        ),
        (
            "region",
            "eu-south-2",
            "region: eu-south-2 has no Serverless Inference, which flight_delay would need; use one",
        ),
        (
            "storage",
            {"extra_buckets": {"landing-of-everything-else-there-is": {}}},
            "storage.extra_buckets.landing-of-everything-else-there-is: its bucket would be named",
        ),
        (
            "storage",
            {"extra_buckets": {"data": {}}},
            "must not contain artifacts, data, logs: these buckets exist already",
        ),
        ("storage", {"lifecycle_days": {"logs": 0}}, "storage.lifecycle_days.logs: must be greater than or equal to 1"),
        ("observability", {"idle_stop": "stop"}, "observability.idle_stop: must be 'off', 'report' or 'delete'"),
        (
            "observability",
            {"by_model": {"flight_delay": {"idle_stop": "delete"}}},
            "observability.by_model.flight_delay.idle_stop: the model does not exist or has no realtime_endpoint",
        ),
        (
            "notifications",
            {"subscribers": {"team": {"protocol": "email", "endpoint": "ml-team"}}},
            "ml-team does not fit protocol email; use an address such as ml-team@example.com",
        ),
        ("access", {"role_path": "mlops"}, "access.role_path: 'mlops' must be a path that starts and ends"),
        (
            "models.flight_delay.serverless_endpoint.provisioned_concurrency",
            {"min": 1, "max": 10},
            "provisioned_concurrency: min must be at most max, and max at most max_concurrency.",
        ),
        ("feature_groups.flights.event_time", "when", "event_time: 'when' must be one of its features"),
        ("feature_groups.flights.features.event_time", None, "event_time: 'event_time' must be one of its features"),
        ("feature_groups.flights.features.carrier.type", "Text", "type: must be 'Integral', 'Fractional' or 'String'"),
    ],
)
def test_errors_are_one_line_with_file_field_and_remedy(tmp_path: Path, path: str, value: Any, message: str) -> None:
    with pytest.raises(UserError) as error:
        load_yaml(edited(tmp_path, path, value), EnvironmentSettings)
    assert str(tmp_path / "settings.yaml") in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@check_cases("name", [path.parent.name for path in ROOT.glob("envs/*/settings.yaml")])
def test_the_committed_settings_are_accepted(name: str) -> None:
    assert settings.load(ROOT / "envs" / name).environment == name


def test_the_subscribers_of_the_page_are_valid(dev: dict[str, Any]) -> None:
    texts = [one.text for one in blocks() if (one.file, one.language) == ("docs/environments.md", "yaml")]
    (text,) = (text for text in texts if text.startswith("notifications:"))
    notifications = EnvironmentSettings.model_validate({**dev, **yaml.safe_load(text)}).notifications
    assert set(notifications.select("alarms")) == set(notifications.select("pipelines")) == {"archive", "ml_team"}
    assert set(notifications.select("events")) == {"archive"}


def test_staging_and_prod_accept_the_packages_of_dev_as_the_page_says() -> None:
    texts = [one.text for one in blocks() if (one.file, one.language) == ("docs/environments.md", "yaml")]
    accepting, sharing = (
        yaml.safe_load(text) for text in texts if "registries:" in text or "reader_account_ids:" in text
    )
    whole: dict[str, Any] = settings.load_all(ROOT / "envs" / name for name in ("dev", "staging", "prod"))
    dev = whole.pop("dev")
    readers = dev.storage.reader_account_ids
    assert sharing["storage"]["reader_account_ids"] == readers == [one.account_id for one in whole.values()]
    for key, model in sharing["models"].items():  # a new model of the catalogue has no readers
        assert model == {"reader_account_ids": readers}
        assert dev.models[key].reader_account_ids == readers
    registries = {dev.account_id: dev.name_prefix}
    (key_arn,) = accepting["access"]["decrypt_key_arns"]
    for name, target in whole.items():
        assert target.region == dev.region
        assert target.promotion.registries == accepting["promotion"]["registries"] == registries
        text = (ROOT / "envs" / name / settings.FILE).read_text()
        commented = text.replace("# access:\n#   decrypt", "access:\n  decrypt")
        complete: Any = settings.parse(commented, name, ROOT / "envs" / "catalogue")
        assert complete.access.decrypt_key_arns == [key_arn]
        with_limit: Any = EnvironmentSettings.model_validate(target.model_dump(exclude_unset=True) | accepting)
        assert with_limit.promotion.max_training_kg_co2e == 5
        account = (ROOT / "envs" / name / "bootstrap" / "main.tf").read_text()
        assert f'registries = {{\n          "{dev.account_id}" = "{dev.name_prefix}"\n' in account


def test_the_real_time_endpoints_of_the_page_run_the_package_of_the_pipeline(
    dev: dict[str, Any], tmp_path: Path
) -> None:
    job: Any = load_spec_file(ROOT / "workloads/flight_delay/job.yaml", TrainingSpec)
    texts = [one.text for one in blocks() if (one.file, one.language) == ("docs/environments.md", "yaml")]
    known: dict[str, dict[str, Any]] = {}
    (entry,) = (yaml.safe_load(text) for text in texts if "inferentia2" in text)
    digits: Any = EnvironmentSettings.model_validate({**dev, "models": {**dev["models"], "digits": entry}})
    assert digits.models["digits"].realtime_endpoint.silicon == "inferentia2"
    arn = f"arn:aws:sagemaker:eu-north-1:{dev['account_id']}:model-package/smlops-dev-flight-delay/1"
    for text in (text for text in texts if "settings.yaml\nmodels:" in text):
        name = text.partition("# envs/")[2].partition("/")[0]
        folder = ROOT / "envs" / name
        whole = f"{(folder / settings.FILE).read_text()}\n{text}"
        loaded: Any = settings.parse(whole, f"envs/{name}/settings.yaml", folder.parent / "catalogue")
        known[name] = {key: model.realtime_endpoint for key, model in loaded.models.items() if model.realtime_endpoint}
        (tmp_path / name).mkdir()  # the gate of smlops promote accepts the package of the pipeline, by its images
        (tmp_path / name / settings.FILE).write_text(whole)
        shutil.copytree(folder.parent / "catalogue", tmp_path / "catalogue", dirs_exist_ok=True)
        target = read_targets(tmp_path / name)["flight_delay"]
        serving = resolve_images(job.serving, job.image, target.region)
        images = {key: entry.image for key, entry in serving.additional.items()}
        specifications = build_specifications(serving, serving.image, images, "s3://models/model.tar.gz")
        package = RegisteredPackage(PackageAddress.parse(arn, "package"), specifications)
        assert compare_images(target, package) == (
            [],
            [f"realtime_endpoint on graviton: {images['graviton'].rpartition('/')[2]}, graviton"],
        )
        unnamed = replace(target, endpoints=tuple(replace(one, specification=None) for one in target.endpoints))
        assert "inference_specification_name: graviton" in compare_images(unnamed, package)[0][0]
    prod, staging = (known[name]["flight_delay"] for name in ("prod", "staging"))
    assert (prod.silicon, prod.min_instances, staging.silicon, staging.min_instances) == ("graviton", 2, "graviton", 1)


def test_the_environment_name_must_equal_its_folder(tmp_path: Path) -> None:
    shutil.copytree(example.CATALOGUE, tmp_path / "catalogue")
    (tmp_path / "staging").mkdir()
    copy = edited(tmp_path / "staging", "deletion_protection", True)
    with pytest.raises(UserError, match="environment: 'dev' is not the name of its folder, 'staging'") as error:
        settings.load(copy.parent)
    assert str(copy) in str(error.value)


def test_environments_of_an_account_have_distinct_prefixes_and_one_owner_of_log_groups(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "staging").mkdir()
    shutil.copytree(example.CATALOGUE, tmp_path / "catalogue")
    folders = [edited(tmp_path / name, "environment", name).parent for name in ("dev", "staging")]
    staging = folders[1] / "settings.yaml"
    texts = {
        prefix: staging.read_text().replace("name_prefix: smlops-dev", f"name_prefix: {prefix}")
        for prefix in ("smlops-dev", "smlops-dev-2", "smlops", "smlops-staging")
    }
    for prefix in ("smlops-dev", "smlops-dev-2", "smlops"):
        for region in ("eu-north-1", "eu-west-1"):
            staging.write_text(texts[prefix].replace("region: eu-north-1", f"region: {region}"))
            with pytest.raises(UserError, match=r"in the same account 123456789012; choose another prefix"):
                settings.load_all(folders)
    staging.write_text(texts["smlops-staging"])
    with pytest.raises(UserError, match=r"staging/settings.yaml: account_log_groups: dev already owns the log groups"):
        settings.load_all(folders)
    for change in ("region: eu-west-1", "region: eu-north-1\naccount_log_groups: shared"):
        staging.write_text(texts["smlops-staging"].replace("region: eu-north-1", change))
        assert set(settings.load_all(folders)) == {"dev", "staging"}


def test_the_schemas_for_editors_are_current() -> None:
    schemas = settings.render_schemas()
    assert {file: (ROOT / "envs" / file).read_text() for file in schemas} == schemas, suggest_update("smlops synth")


def files_for_editors() -> list[Path]:
    return sorted([*ROOT.glob("envs/*/settings.yaml"), *ROOT.glob("envs/catalogue/*/*.yaml")])


@check_cases("file", files_for_editors(), ids=str)
def test_each_file_follows_its_schema_and_names_no_other_schema(file: Path) -> None:
    schema = file.parents[1] / f"{'settings' if file.name == settings.FILE else file.parent.name}.schema.json"
    jsonschema.validate(yaml.safe_load(file.read_text()), json.loads(schema.read_text()))
    for reference in re.findall(r"^# yaml-language-server: \$schema=(\S+)$", file.read_text(), re.M):
        assert (file.parent / reference).resolve() == schema


def test_schemas_accept_partial_entries_and_reject_unknown_fields() -> None:
    schema, dev = json.loads(settings.render_schemas()["settings.schema.json"]), yaml.safe_load(DEV.read_text())
    jsonschema.validate({**dev, "feature_groups": {"flights": {"description": "x"}}}, schema)
    jsonschema.validate({**dev, "models": {"flight_delay": None}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**dev, "models": {"flight_delay": {"descripion": "x"}}}, schema)


def test_the_feature_group_of_the_catalogue_equals_the_workloads_schema() -> None:
    from workloads.flight_delay import features

    group = FeatureStore(cast(Any, settings.load(DEV.parent))).settings.feature_groups["flights"]
    assert {name: feature.type for name, feature in group.features.items()} == features.build_schema()
    assert (group.record_identifier, group.event_time) == (features.RECORD_IDENTIFIER, features.EVENT_TIME)


@check_cases("name", ["catalogue", "component", "components", "environment", "settings"])
def test_names_of_other_folders_in_envs_are_rejected(name: str) -> None:
    with pytest.raises(ValueError, match=f"environment: '{name}' is a reserved name in envs/"):
        settings.check_name(name)
