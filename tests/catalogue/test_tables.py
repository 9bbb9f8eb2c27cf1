"""An invalid cell of a catalogue file gives one clear message."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import limits, prices, regions, service_prices, storage, tables
from sustainable_mlops.footprint import coefficients
from sustainable_mlops.review.command import main
from tests.plan.plan_builder import build_change, build_document

Loader = Callable[[], object]


def corrupt_file(monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str) -> None:
    """Replace a text of the file `name` for the test."""
    read = tables._read_text

    def read_corrupt_file(table: str) -> str | None:
        text = read(table)
        if table != name or text is None:
            return text
        assert old in text
        return text.replace(old, new, 1)

    monkeypatch.setattr(tables, "_read_text", read_corrupt_file)


_EC2, _REGIONS = ("prices_ec2", prices._load_ec2_prices), ("price_regions", prices._load_regional_prices)


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        (_EC2, "a1.2xlarge,0.204", "a1.2xlarge,O.204", "usd_per_hour: cannot be 'O.204'"),
        (_EC2, "a1.2xlarge,0.204", "a1.2xlarge,-0.204", "usd_per_hour: cannot be '-0.204'"),
        (_EC2, "a1.2xlarge,0.204", "a1.2xlarge,nan", "usd_per_hour: cannot be 'nan'"),
        (_EC2, "a1.2xlarge,0.204", "a1.2xlarge,", "usd_per_hour: cannot be ''"),
        (_EC2, "a1.2xlarge,0.204,B", "a1.2xlarge,0.204,X", "class: cannot be 'X'"),
        (_EC2, "instance,usd_per_hour", "instance,usd", "usd_per_hour: is missing"),
        (_REGIONS, "0.997,0.996,0.998", "0.997,0.999,0.998", "high: cannot be '0.998'"),
        (("prices_services", service_prices.load_all), ",hour,", ",day,", "per: cannot be 'day'"),
        (("storage_classes", storage.load_all), "STANDARD,hdd", "STANDARD,tape", "medium: cannot be 'tape'"),
        (("regions", regions.load_all), "USA,383.8", "USA,x", "ember_2024: cannot be 'x'"),
        (("limits", limits._load_limits), "least,1024", "least,1GB", "value: cannot be '1GB'"),
        (("assumptions", coefficients.load_assumptions), "0.1,0.01,0.5", "0.1,0.2,0.5", "high: cannot be '0.5'"),
    ],
)
def test_an_error_names_the_invalid_cell(
    monkeypatch: pytest.MonkeyPatch, table: tuple[str, Loader], old: str, new: str, message: str
) -> None:
    name, load = table
    load_uncached = inspect.unwrap(load, stop=lambda function: not hasattr(function, "cache_clear"))
    assert load_uncached() == load()
    corrupt_file(monkeypatch, name, old, new)
    with pytest.raises(UserError) as caught:
        load_uncached()
    assert str(caught.value) == f"catalogue/{name}.csv, line 2, {message}"
    assert tables._trace is None


def test_a_review_with_an_invalid_price_ends_with_one_line_and_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    corrupt_file(monkeypatch, "prices_ec2", "a1.2xlarge,0.204", "a1.2xlarge,0;204")
    prices._load_ec2_prices.cache_clear()  # type: ignore[attr-defined]
    instance = build_change("aws_instance.i", {"instance_type": "a1.2xlarge", "region": "us-east-1"})
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(build_document(instance)))
    assert main([str(path)]) == 2
    assert capsys.readouterr().err == "error: catalogue/prices_ec2.csv, line 2, usd_per_hour: cannot be '0;204'\n"
