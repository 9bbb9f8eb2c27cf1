import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sustainable_mlops.base.terraform import get_provider_version
from sustainable_mlops.catalogue import instances, prices, regions, tables
from sustainable_mlops.rules.serving import hardware
from tests.cases import check_cases
from tests.stale_files import suggest_update
from tools import derive_image_registries, derive_instances, derive_managed_policies, derive_refused_instances


def test_every_sagemaker_type_is_known_or_listed_as_unknown() -> None:
    """Check all lists in the service model, not only those that the rule uses."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("sagemaker")
    enum_values = {name for shape in model.shape_names for name in model.shape_for(shape).metadata.get("enum", [])}
    type_names = {name for name in enum_values if name.startswith("ml.")} | {"system"}
    unknown = {row["instance"] for row in tables.read_rows("unknown_instances")}
    assert len(type_names) >= 443
    assert {name for name in type_names if instances.find(name) is None} == {
        name for name in unknown if name in type_names
    }
    assert unknown & type_names == {name for name in unknown if name.startswith("ml.") or name == "system"}


def test_the_hosted_graviton_families_are_those_of_the_service_model() -> None:
    import botocore.session

    shape = botocore.session.get_session().get_service_model("sagemaker").shape_for("ProductionVariantInstanceType")
    types = [instance for name in shape.metadata["enum"] if (instance := instances.find(name)) is not None]
    assert {one.family for one in types if one.is_graviton and one.accelerator is None} == hardware._HOSTED_GRAVITON


def test_every_ec2_type_is_known_or_listed_as_unknown() -> None:
    types, unknown_names = (
        derive_instances.load_ec2_types(),
        {row["instance"] for row in tables.read_rows("unknown_instances")},
    )
    assert len(types) > 1300
    unknown = {name for name in types if instances.find(name) is None}
    assert len(types) - len(unknown) > 1250
    for name in unknown:
        assert {name, name.split(".")[0]} & unknown_names, name
        assert "the catalogue has no" not in instances.explain_unknown(name)
    of_ec2 = {name for name in unknown_names if not name.startswith("ml.")} - {"system"}
    assert all(any(name in (type_, type_.split(".")[0]) for type_ in unknown) for name in of_ec2)


def test_an_ec2_type_has_the_sagemaker_hardware_and_its_own_price() -> None:
    for name in ("m5.xlarge", "p4d.24xlarge", "inf2.xlarge", "p3.2xlarge"):
        plain, twin = instances.find(name), instances.find(f"ml.{name}")
        assert plain is not None
        assert twin is not None
        assert (plain.name, plain.uses) == (name, frozenset())
        assert (plain.platform, plain.vcpu, plain.accelerator) == (twin.platform, twin.vcpu, twin.accelerator)
    price, dearer = prices.find("m5.xlarge"), prices.find("ml.m5.xlarge")
    assert price is not None
    assert dearer is not None
    assert (price.kind, price.grade, price.usd_per_hour) == ("EC2 price", "B", (0.192, 0.192, 0.192))
    assert dearer.usd_per_hour[1] == 0.23


def test_an_ec2_only_type_has_a_server_and_drives() -> None:
    fast, disks = instances.find("m5n.24xlarge"), instances.find("d3en.12xlarge")
    assert fast is not None
    assert disks is not None
    assert (fast.platform.cpu, fast.vcpu, fast.memory_gib) == ("Intel Xeon Platinum 8259CL", 96, 384)
    assert (disks.local_ssd_gb, disks.local_hdd_gb) == (0, 24 * 13980)
    assert [one.vcpu for one in instances.list_family("c7a")] == [1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 192]
    assert prices.find("hpc7a.96xlarge") is None


@pytest.mark.slow
def test_the_derived_files_are_fresh() -> None:
    hint = suggest_update(".venv/bin/python -m tools.derive_instances")
    assert (tables.CATALOGUE_DIRECTORY / "instances.csv").read_text() == derive_instances.format_table(
        derive_instances.make_instances()
    ), hint
    assert (tables.CATALOGUE_DIRECTORY / "instances_ec2.csv").read_text() == derive_instances.format_table(
        derive_instances.make_ec2_instances()
    ), hint
    assert (tables.CATALOGUE_DIRECTORY / "offerings.csv").read_text() == derive_instances.format_table(
        derive_instances.make_offerings()
    ), hint
    hint = suggest_update(".venv/bin/python -m tools.derive_image_registries")
    assert (tables.CATALOGUE_DIRECTORY / "image_registries.csv").read_text() == derive_instances.format_table(
        derive_image_registries.make_registries()
    ), hint
    assert (tables.CATALOGUE_DIRECTORY / "algorithm_images.csv").read_text() == derive_instances.format_table(
        derive_image_registries.make_algorithm_images()
    ), hint
    hint = suggest_update(".venv/bin/python -m tools.derive_managed_policies")
    content = (tables.CATALOGUE_DIRECTORY / "managed_policies.csv").read_text()
    assert content == derive_managed_policies.write_table(), hint


@pytest.mark.plan
def test_the_refused_types_are_fresh() -> None:
    hint = suggest_update(".venv/bin/python -m tools.derive_refused_instances")
    content = (tables.CATALOGUE_DIRECTORY / "refused_instances.csv").read_text()
    rows = {row["source"].rpartition(" ")[2] for row in tables.read_rows("refused_instances")}
    assert rows == set(derive_refused_instances.VERSIONS)
    if (version := get_provider_version()) in rows:
        assert content == derive_refused_instances.make_table(version), hint


def test_older_providers_refuse_the_same_types() -> None:
    assert all(instances.is_refused_by_provider("ml.c8g.large", "hosting", major) for major in (None, 4, 5))
    assert not instances.is_refused_by_provider("ml.c8g.large", "hosting", 6)
    assert instances.is_refused_by_provider("ml.g6e.xlarge", "notebook", 5)
    assert all(instances.is_refused_by_provider("ml.g7.2xlarge", "hosting", major) for major in (None, 5, 6))
    assert not instances.is_refused_by_provider("ml.g7e.2xlarge", "hosting", 6)
    assert not instances.is_refused_by_provider("ml.g6e.xlarge", "hosting", 5)
    assert not instances.is_refused_by_provider("ml.c7g.large", "hosting", 5)


def test_accelerator_memory_depends_on_the_instance() -> None:
    # GiB of one A100, V100, A10G (24 GB minus ECC), and of a Trainium2 (512 in the EC2 API).
    known = {"ml.p4d.24xlarge": 40.0, "ml.p4de.24xlarge": 80.0, "ml.p3.2xlarge": 16.0, "ml.p3dn.24xlarge": 32.0}
    known |= {"ml.g5.xlarge": 22.35, "ml.trn2.48xlarge": 96.0, "ml.inf2.xlarge": 32.0}
    assert {name: instances.load_all()[name].accelerator_gib for name in known} == known
    on_ec2 = [instance for name in derive_instances.load_ec2_types() if (instance := instances.find(name)) is not None]
    every = [*instances.load_all().values(), *on_ec2]
    assert all((one.accelerator_gib > 0) == (one.accelerators > 0) for one in every)


def test_offered_types_depend_on_the_region() -> None:
    assert instances.is_offered("ml.inf2.xlarge", "eu-north-1") is True
    assert instances.is_offered("ml.inf2.xlarge", "eu-south-1") is False
    assert instances.is_offered("ml.trn1.32xlarge", "ap-south-1") is True
    assert instances.is_offered("ml.trn1.2xlarge", "ap-south-1") is False
    assert instances.is_offered("ml.m5.xlarge", "us-gov-west-1") is None
    assert instances.is_offered("ml.p3.2xlarge", "us-east-1") is False  # EC2 no longer has it


def test_serverless_inference_is_in_the_21_regions_of_the_developer_guide() -> None:
    names = sorted(region.name for region in regions.load_all().values() if region.has_serverless)
    assert " ".join(names) == (
        "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 "
        "ca-central-1 eu-central-1 eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3 me-south-1 sa-east-1 "
        "us-east-1 us-east-2 us-west-1 us-west-2"
    )


def test_regions_without_a_published_pue_have_that_of_the_fleet() -> None:
    places = regions.load_all()
    assert not places["eu-west-3"].is_pue_published
    assert places["eu-north-1"].is_pue_published
    assert sum(place.is_pue_published for place in places.values()) == 22
    assert {place.pue for place in places.values() if not place.is_pue_published} == {1.14}


def test_limits_are_those_of_the_service_model() -> None:
    import botocore.session

    session = botocore.session.get_session()
    runtime, sagemaker = session.get_service_model("sagemaker-runtime"), session.get_service_model("sagemaker")
    limits = {row["key"]: int(row["value"]) for row in tables.read_rows("limits")}
    memory = sagemaker.shape_for("ServerlessMemorySizeInMB").metadata
    assert (limits["serverless_memory_mb_least"], limits["serverless_memory_mb_most"]) == (memory["min"], memory["max"])
    pools, priority = sagemaker.shape_for("InstancePoolList"), sagemaker.shape_for("InstancePoolPriority")
    assert limits["instance_pools"] == pools.metadata["max"] == priority.metadata["max"]
    assert limits["serverless_concurrency"] == sagemaker.shape_for("ServerlessMaxConcurrency").metadata["max"]
    assert limits["batch_answer_s"] == sagemaker.shape_for("InvocationsTimeoutInSeconds").metadata["max"]
    assert limits["asynchronous_answer_s"] == runtime.shape_for("InvocationTimeoutSecondsHeader").metadata["max"]
    assert limits["real_time_payload_sure_kb"] * 1024 == runtime.shape_for("BodyBlob").metadata["max"]


def test_an_instance_is_no_larger_than_its_server() -> None:
    on_ec2 = [
        ec2_instance for name in derive_instances.load_ec2_types() if (ec2_instance := instances.find(name)) is not None
    ]
    for instance in [*instances.load_all().values(), *on_ec2]:
        assert 0 < instance.vcpu <= instance.platform.vcpu, instance.name
        assert (instance.accelerator is None) == (instance.accelerators == 0), instance.name


def test_uses_are_those_of_the_api() -> None:
    graviton, inferentia = instances.find("ml.c7g.xlarge"), instances.find("ml.inf2.xlarge")
    assert graviton is not None
    assert graviton.uses == {"hosting", "cluster"}
    assert inferentia is not None
    assert "training" not in inferentia.uses
    assert {"hosting", "transform"} <= inferentia.uses


def test_each_price_has_a_kind() -> None:
    list_price, worked_out = prices.find("ml.m5.xlarge"), prices.find("ml.m6i.xlarge")
    assert list_price is not None
    assert (list_price.kind, list_price.usd_per_hour[1]) == ("SageMaker price", 0.23)
    assert worked_out is not None
    # 0.192 USD of EC2 x 1.20
    assert (worked_out.kind, worked_out.grade) == ("EC2 price x factor", "C")
    assert worked_out.usd_per_hour[1] == pytest.approx(0.2304)
    assert prices.find("ml.p5e.48xlarge") is None


def test_the_zone_of_a_grid_overrides_its_country() -> None:
    oregon, virginia = regions.find("us-west-2"), regions.find("us-east-1")
    assert oregon is not None
    assert virginia is not None
    assert (oregon.grid[1], virginia.grid[1]) == (129, 418)
    assert virginia.grid[0] == 244.8
    assert oregon.grid[2] == 384.4


def test_without_the_odbl_file_the_country_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "has_table", lambda _: False)
    region = inspect.unwrap(regions.load_all)()["us-west-2"]
    assert region.grid[1] == 384.4
    assert region.grid_source == "Ember, USA"


def test_every_file_has_a_license_and_odbl_data_its_own_file() -> None:
    licenses = {row["file"]: row["license"] for row in tables.read_rows("sources")}
    files = {path.name for path in tables.CATALOGUE_DIRECTORY.glob("*.csv")}
    assert set(licenses) == files
    assert [name for name, terms in licenses.items() if terms == "ODbL-1.0"] == ["regions_electricity_maps.csv"]
    text = (tables.CATALOGUE_DIRECTORY / "LICENSES.md").read_text()
    assert all(f"`{name}`" in text for name in files)


FILES = sorted(path for path in tables.CATALOGUE_DIRECTORY.glob("*.csv") if path.name != "sources.csv")


@check_cases("file", FILES, ids=lambda file: file.name)
def test_every_row_or_its_file_has_a_source_a_date_and_a_class(file: Path) -> None:
    of_file = next(row for row in tables.read_rows("sources") if row["file"] == file.name)
    defaults = {"source": of_file["attribution"], "date": of_file["date"], "class": of_file["class"]}
    for row in tables.read_rows(file.stem):
        for column_name, otherwise in defaults.items():
            cells = [row[column] for column in row if column == column_name or column.endswith(f"_{column_name}")]
            assert any(cells) or (not cells and otherwise), f"{row}: no {column_name}"
            assert not {"same", "seen", "memory"} & set(cells), f"{row}: no {column_name} by itself"
        when = row.get("date") or defaults["date"]  # a day, or the month where no more is known
        assert re.fullmatch(r"20\d\d-[01]\d(-[0-3]\d)?", when), row
        assert when <= datetime.now(UTC).date().isoformat(), row


def test_only_one_file_contains_electricity_maps_figures() -> None:
    own = "regions_electricity_maps"
    figures = {row["region"]: row["g_per_kwh_2025"] for row in tables.read_rows(own)}
    others = {file.stem for file in tables.CATALOGUE_DIRECTORY.glob("*.csv")} - {own}
    rows = [(name, row) for name in sorted(others) for row in tables.read_rows(name) if row.get("region") in figures]
    assert {"price_regions", "regions"} <= {name for name, _ in rows}
    for name, row in rows:
        assert figures[row["region"]] not in row.values(), (name, row)
