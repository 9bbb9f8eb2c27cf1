from pathlib import Path

import pytest

from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint import read_usage

ENDPOINT = 'module.a["x"].aws_sagemaker_endpoint.this'


def written(folder: Path, text: str, name: str = "usage.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_number_is_known_and_a_range_is_not(tmp_path: Path) -> None:
    usage = read_usage(
        written(
            tmp_path,
            f"""
resources:
  '{ENDPOINT}':
    requests_per_month: 2_000_000
    duration_seconds: {{low: 0.02, expected: 0.05, high: 0.2}}
""",
        )
    )
    keys = usage.of(ENDPOINT)
    requests, duration = keys.get("requests_per_month"), keys.get("duration_seconds")
    assert requests is not None
    assert (requests.central, requests.exact, requests.grade) == (2_000_000, True, "A")
    assert duration is not None
    assert (duration.low, duration.central, duration.high) == (0.02, 0.05, 0.2)
    assert keys.get("duty") is None


def test_the_more_specific_wins(tmp_path: Path) -> None:
    usage = read_usage(
        written(
            tmp_path,
            """
{"defaults": {"duty": 0.1, "instances": 1},
 "resources": {"module.a[*].aws_sagemaker_endpoint.*": {"duty": 0.2, "instances": 2},
               "module.a[\\"x\\"].aws_sagemaker_endpoint.this": {"duty": 0.3}}}
""",
            "usage.json",
        )
    )

    def given(address: str) -> list[float]:
        keys = usage.of(address)
        return [quantity.central for key in ("duty", "instances") if (quantity := keys.get(key)) is not None]

    assert given(ENDPOINT) == [0.3, 2]
    assert given('module.a["y"].aws_sagemaker_endpoint.this') == [0.2, 2]
    assert given("aws_sagemaker_endpoint.this") == [0.1, 1]


def test_storage_is_a_number_a_range_or_by_class(tmp_path: Path) -> None:
    usage = read_usage(
        written(
            tmp_path,
            """
resources:
  aws_s3_bucket.a: {storage_gb: 100}
  aws_s3_bucket.b: {storage_gb: {low: 1, expected: 2, high: 3}}
  aws_s3_bucket.c: {storage_gb: {STANDARD: 5, GLACIER_IR: 7}}
""",
        )
    )
    found = {}
    for name in "abc":
        held = usage.of(f"aws_s3_bucket.{name}").storage()
        assert held is not None
        found[name] = {kind: gb.central for kind, gb in held.items()}
    assert found == {"a": {"STANDARD": 100}, "b": {"STANDARD": 2}, "c": {"STANDARD": 5, "GLACIER_IR": 7}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resources: [1]", "resources: must be a mapping"),
        ("resource: {}", "unknown key resource; known are defaults, resources"),
        ("resources: {a.b: {request: 1}}", "resources.a.b: unknown key request"),
        ("resources: {a.b: {duty: 1.5}}", "resources.a.b.duty: must be a number from 0 to 1"),
        ("resources: {a.b: {duty: .nan}}", "resources.a.b.duty: must be a number"),
        ("resources: {a.b: {duty: true}}", "resources.a.b.duty: must be a number"),
        ("resources: {a.b: {duty: '0.5'}}", "resources.a.b.duty: must be a number"),
        ("resources: {a.b: {duty: {low: 0.1, high: 0.2}}}", "resources.a.b.duty: give low, expected and high"),
        ("resources: {a.b: {duty: {low: 0.3, expected: 0.2, high: 0.4}}}", "must rise"),
        ("resources: {a.b: {storage_gb: {COLD: 1}}}", "resources.a.b.storage_gb: unknown key COLD"),
        ("resources: {a.b: {storage_gb: {STANDARD: -1}}}", "resources.a.b.storage_gb.STANDARD: must be a number"),
        ("a: [", "is not YAML"),
        ("- 1", "must be a mapping"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_usage(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.yaml: no such file"):
        read_usage(tmp_path / "nowhere.yaml")
