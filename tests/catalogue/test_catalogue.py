import csv
from pathlib import Path

import pytest

from sustainable_mlops.catalogue import derive, instances, prices, regions, tables


def test_every_type_that_sagemaker_names_is_estimated_or_unknown_by_name() -> None:
    named = derive.sagemaker_types()
    unknown = {row["instance"] for row in tables.rows("unknown_instances")}
    assert len(named) > 390
    assert {name for name in named if instances.find(name) is None} == unknown & set(named)
    assert all(instances.why_unknown(name) for name in unknown)


def test_the_derived_file_is_what_the_rule_gives() -> None:
    assert (tables.HERE / "instances.csv").read_text() == derive.text()


def test_an_instance_is_no_larger_than_its_server() -> None:
    for instance in instances.everything().values():
        assert 0 < instance.vcpu <= instance.platform.vcpu, instance.name
        assert (instance.accelerator is None) == (instance.accelerators == 0), instance.name


def test_uses_are_those_of_the_api() -> None:
    graviton, inferentia = instances.find("ml.c7g.xlarge"), instances.find("ml.inf2.xlarge")
    assert graviton is not None
    assert graviton.uses == {"hosting"}
    assert inferentia is not None
    assert "training" not in inferentia.uses
    assert {"hosting", "transform"} <= inferentia.uses


def test_each_price_says_what_it_is() -> None:
    listed, worked_out = prices.find("ml.m5.xlarge"), prices.find("ml.m6i.xlarge")
    assert listed is not None
    assert (listed.kind, listed.usd_per_hour[1]) == ("SageMaker price", 0.23)
    assert worked_out is not None
    # 0.192 USD of EC2 x 1.20
    assert (worked_out.kind, worked_out.grade) == ("EC2 price x factor", "C")
    assert worked_out.usd_per_hour[1] == pytest.approx(0.2304)
    assert prices.find("ml.p5e.48xlarge") is None


def test_the_zone_of_a_grid_wins_over_its_country_and_both_are_in_the_range() -> None:
    oregon, virginia = regions.find("us-west-2"), regions.find("us-east-1")
    assert oregon is not None
    assert virginia is not None
    assert (oregon.grid[1], virginia.grid[1]) == (129, 418)
    assert virginia.grid[0] == 244.8
    assert oregon.grid[2] == 384.4


def test_without_the_odbl_file_the_country_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "has", lambda _: False)
    found = regions.everything.__wrapped__()["us-west-2"]
    assert found.grid[1] == 384.4
    assert found.grid_source == "Ember, USA"


def test_every_file_has_a_licence_and_odbl_data_is_alone() -> None:
    licences = {row["file"]: row["licence"] for row in tables.rows("licences")}
    files = {path.name for path in tables.HERE.glob("*.csv")}
    assert set(licences) == files
    assert [name for name, licence in licences.items() if licence == "ODbL-1.0"] == ["regions_electricity_maps.csv"]
    text = (tables.HERE / "LICENSES.md").read_text()
    assert all(f"`{name}`" in text for name in files)


def test_no_file_but_its_own_holds_electricity_maps_figures() -> None:
    zones = _column(tables.HERE / "regions_electricity_maps.csv", "g_per_kwh_2025")
    for path in tables.HERE.glob("regions.csv"):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                assert zones[row["region"]] not in {row[key] for key in row if key != "region"}, row["region"]


def _column(path: Path, key: str) -> dict[str, str]:
    with path.open(newline="") as file:
        return {row["region"]: row[key] for row in csv.DictReader(file)}
