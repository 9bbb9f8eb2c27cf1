from pathlib import Path
from typing import Any

import pytest

from tests.cases import check_cases
from tests.footprint.support import PUE, REGION, get_kwh, join_reasons, list_part_names, make_footprint, make_usage
from tests.plan.plan_builder import build_change

BUCKET = "aws_s3_bucket.b"
GROUP = "aws_sagemaker_feature_group.g"


def group(**stores: Any) -> dict[str, Any]:
    return {
        "region": REGION,
        "feature_group_name": "g",
        "online_store_config": [],
        "offline_store_config": [],
        **stores,
    }


ONLINE = [{"enable_online_store": True}]
OFFLINE = [{"s3_storage_config": [{"s3_uri": "s3://b/features"}]}]


@check_cases(
    ("values", "stores"),
    [
        (group(online_store_config=ONLINE), ["online store"]),
        (group(offline_store_config=OFFLINE), ["offline store"]),
        (group(online_store_config=ONLINE, offline_store_config=OFFLINE), ["online store", "offline store"]),
        (group(online_store_config=[{"enable_online_store": False}]), []),
    ],
)
def test_a_feature_group_has_the_stores_that_it_declares(values: dict[str, Any], stores: list[str]) -> None:
    """The provider stores [] for a missing block."""
    assert list_part_names(make_footprint(build_change(GROUP, values))) == stores


def compute_bucket_kwh(gb: float) -> float:
    """Return the energy of a bucket: 0.65 Wh/TBh of disk, six copies."""
    return gb / 1000 * 0.65 * 6 * 730 / 1000 * PUE


def test_an_offline_store_counts_once_with_its_bucket(tmp_path: Path) -> None:
    changes = [
        build_change(GROUP, group(offline_store_config=OFFLINE)),
        build_change(BUCKET, {"bucket": "b", "region": REGION}),
    ]
    both = make_usage(tmp_path, {GROUP: {"offline_gb": 100}, BUCKET: {"storage_gb": 500}})
    assert get_kwh(make_footprint(*changes, used=both)) == pytest.approx(compute_bucket_kwh(500))
    store = make_usage(tmp_path, {GROUP: {"offline_gb": 100}})
    assert get_kwh(make_footprint(*changes, used=store)) == pytest.approx(compute_bucket_kwh(100))
    elsewhere = make_usage(tmp_path, {GROUP: {"offline_gb": 100}})
    assert get_kwh(make_footprint(changes[0], used=elsewhere)) == pytest.approx(compute_bucket_kwh(100))


def lifecycle() -> dict[str, Any]:
    rule = {"id": "r", "status": "Enabled", "transition": [{"days": 30, "storage_class": "DEEP_ARCHIVE"}]}
    return {"bucket": "b", "rule": [rule]}


@pytest.mark.parametrize(
    ("held", "before", "noted"),
    [
        (1000, None, True),
        (1000, lifecycle(), True),
        ({"STANDARD": 100, "DEEP_ARCHIVE": 900}, None, True),
        ({"STANDARD": 100, "DEEP_ARCHIVE": 900}, lifecycle(), False),
    ],
    ids=["new", "there", "new, by class", "there, by class"],
)
def test_the_effect_of_a_lifecycle_is_reported_as_not_counted(
    tmp_path: Path, held: Any, before: dict[str, Any] | None, noted: bool
) -> None:
    result = make_footprint(
        build_change(BUCKET, {"bucket": "b", "region": REGION}),
        build_change("aws_s3_bucket_lifecycle_configuration.l", lifecycle(), before=before),
        used=make_usage(tmp_path, {BUCKET: {"storage_gb": held}}),
    )
    assert ("the effect of its rules is not counted" in join_reasons(result)) is noted


def make_replication(tmp_path: Path, *statuses: str) -> Any:
    rules = [{"status": status, "destination": [{"bucket": "arn:aws:s3:::away"}]} for status in statuses]
    return make_footprint(
        build_change("aws_s3_bucket.away", {"bucket": "away", "region": "eu-west-1"}),
        build_change("aws_s3_bucket_replication_configuration.r", {"bucket": "b", "region": REGION, "rule": rules}),
        used=make_usage(tmp_path, {"aws_s3_bucket_replication_configuration.r": {"transfer_gb_per_month": 50}}),
    )


def test_a_disabled_rule_replicates_nothing(tmp_path: Path) -> None:
    assert list_part_names(make_replication(tmp_path, "Disabled")) == ["objects"]
    assert list_part_names(make_replication(tmp_path, "Disabled", "Enabled")) == ["objects", "replication"]


def test_the_total_of_a_transfer_is_unknown(tmp_path: Path) -> None:
    result = make_replication(tmp_path, "Enabled")
    operational = result.after.get("operational")
    assert operational is not None
    assert operational.central == pytest.approx(50 * 0.001 * PUE * 0.418)
    assert result.after.get("embodied") is None
    assert result.after.get("total") is None
