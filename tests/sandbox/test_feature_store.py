"""Feature groups and their records, online and offline."""

import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from sagemaker_sandbox import Sandbox
from tests.sandbox.support import ROLE, TRUST, catch_error, make_role, wait_until

pytestmark = pytest.mark.slow

Fresh = Callable[[str], str]

DEFINITIONS = [
    {"FeatureName": "flight", "FeatureType": "String"},
    {"FeatureName": "event_time", "FeatureType": "String"},
    {"FeatureName": "distance", "FeatureType": "Fractional"},
    {"FeatureName": "seats", "FeatureType": "Integral"},
]
NOON, LATER = "2013-01-01T12:00:00Z", "2013-01-01T13:00:00.500Z"


@pytest.fixture(scope="session")
def store(sandbox: Sandbox) -> Any:
    return sandbox.client("sagemaker-featurestore-runtime")


@pytest.fixture
def group(sagemaker: Any, fresh: Fresh, bucket: str) -> str:
    return make_group(sagemaker, fresh("flights"), bucket)


def test_a_record_is_read_as_it_was_written(store: Any, group: str) -> None:
    store.put_record(FeatureGroupName=group, Record=build_record("UA1", NOON, distance="719.5", seats="180"))
    stored = store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="UA1")["Record"]
    assert read_values(stored) == {"flight": "UA1", "event_time": NOON, "distance": "719.5", "seats": "180"}
    selected = store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="UA1", FeatureNames=["seats"])
    assert read_values(selected["Record"]) == {"seats": "180"}
    assert "Record" not in store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="none")


def test_an_older_event_does_not_overwrite_a_newer_one_online(store: Any, group: str) -> None:
    for event_time, seats in ((LATER, "2"), (NOON, "1")):
        store.put_record(FeatureGroupName=group, Record=build_record("UA1", event_time, seats=seats))
    stored = store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="UA1")["Record"]
    assert read_values(stored)["seats"] == "2"


def test_the_offline_store_keeps_every_write_in_sagemakers_layout(
    store: Any, s3: Any, sagemaker: Any, group: str, bucket: str
) -> None:
    store.put_record(FeatureGroupName=group, Record=build_record("UA1", LATER, distance="719.5", seats="2"))
    store.put_record(FeatureGroupName=group, Record=build_record("UA1", NOON, seats="1"))
    store.delete_record(FeatureGroupName=group, RecordIdentifierValueAsString="UA1", EventTime=LATER)
    described = sagemaker.describe_feature_group(FeatureGroupName=group)
    resolved = described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
    assert resolved.startswith(f"s3://{bucket}/features/123456789012/sagemaker/eu-north-1/offline-store/{group}-")
    assert resolved.endswith("/data")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert sorted(key.split("/data/")[1].rsplit("/", 1)[0] for key in keys) == [
        "year=2013/month=01/day=01/hour=12",
        "year=2013/month=01/day=01/hour=13",
    ]
    rows = [row for key in sorted(keys) for row in read_rows(s3, bucket, key)]
    assert [(row["seats"], row["distance"], row["is_deleted"]) for row in rows] == [
        (1, None, False),
        (2, 719.5, False),
        (None, None, True),
    ]
    assert all(datetime.now(UTC) - row["write_time"] < timedelta(minutes=10) for row in rows)
    assert {"api_invocation_time", "write_time"} < set(rows[0])


def test_the_offline_store_is_a_table_in_glue_that_outlives_the_group(
    sandbox: Sandbox, sagemaker: Any, group: str
) -> None:
    store = sagemaker.describe_feature_group(FeatureGroupName=group)["OfflineStoreConfig"]
    catalog = store["DataCatalogConfig"]
    sagemaker.delete_feature_group(FeatureGroupName=group)
    glue = sandbox.client("glue")
    table = glue.get_table(DatabaseName=catalog["Database"], Name=catalog["TableName"])["Table"]
    assert table["StorageDescriptor"]["Location"] == store["S3StorageConfig"]["ResolvedOutputS3Uri"]
    assert [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]] == [
        ("flight", "string"),
        ("event_time", "string"),
        ("distance", "double"),
        ("seats", "bigint"),
    ]
    assert "glue" not in sandbox.inventory(), "AWS owns the database"


def test_soft_deletion_keeps_the_time_and_hard_deletion_removes_everything(store: Any, group: str) -> None:
    for mode, accepts_old in (("SoftDelete", False), ("HardDelete", True)):
        key = {"FeatureGroupName": group, "RecordIdentifierValueAsString": mode}
        store.put_record(FeatureGroupName=group, Record=build_record(mode, NOON))
        store.delete_record(**key, EventTime=LATER, DeletionMode=mode)
        assert "Record" not in store.get_record(**key)
        store.put_record(FeatureGroupName=group, Record=build_record(mode, NOON))
        assert ("Record" in store.get_record(**key)) is accepts_old


def test_records_expire_after_the_time_to_live(store: Any, sagemaker: Any, fresh: Fresh, bucket: str) -> None:
    group = make_group(sagemaker, fresh("expiring"), bucket, TtlDuration={"Unit": "Hours", "Value": 1})
    just_now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    key = {"FeatureGroupName": group, "RecordIdentifierValueAsString": "new"}
    store.put_record(FeatureGroupName=group, Record=build_record("new", just_now))
    store.put_record(FeatureGroupName=group, Record=build_record("old", NOON))
    expires = datetime.fromisoformat(store.get_record(**key, ExpirationTimeResponse="Enabled")["ExpiresAt"])
    assert expires == datetime.fromisoformat(just_now) + timedelta(hours=1)
    assert "Record" not in store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="old")
    short = {"Unit": "Seconds", "Value": 1}
    store.put_record(FeatureGroupName=group, Record=build_record("new", just_now), TtlDuration=short)
    wait_until(lambda: "Record" not in store.get_record(**key))


@pytest.mark.parametrize(
    ("features", "why"),
    [
        ({"flight": "UA1"}, "event time feature event_time is missing"),
        ({"event_time": NOON}, "record identifier feature flight is missing"),
        ({"flight": "UA1", "event_time": "1 January"}, "must be in the format yyyy-MM-dd'T'HH:mm:ssZ"),
        ({"flight": "UA1", "event_time": NOON, "seats": "1.5"}, "feature seats must be of type Integral; got '1.5'"),
        ({"flight": "UA1", "event_time": NOON, "distance": "far"}, "feature distance must be of type Fractional"),
        ({"flight": "UA1", "event_time": NOON, "wings": "2"}, "does not contain a feature with name wings"),
    ],
)
def test_an_invalid_record_is_refused_and_not_written(
    store: Any, group: str, features: dict[str, str], why: str
) -> None:
    invalid_record = [{"FeatureName": name, "ValueAsString": value} for name, value in features.items()]
    code, message = catch_error(store.put_record, FeatureGroupName=group, Record=invalid_record)
    assert code == "ValidationError"
    assert why in message
    assert "Record" not in store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="UA1")


def test_a_batch_has_a_result_for_each_record(store: Any, group: str) -> None:
    entries = [{"FeatureGroupName": group, "Record": build_record(f"UA{number}", NOON)} for number in range(25)]
    entries[7]["Record"] = build_record("UA7", "never")
    write_response = store.batch_write_record(Entries=entries)
    assert [error["Entry"]["Record"][0]["ValueAsString"] for error in write_response["Errors"]] == ["UA7"]
    identifiers = [
        {"FeatureGroupName": group, "RecordIdentifiersValueAsString": ["UA1", "UA2", "UA7"]},
        {"FeatureGroupName": "none", "RecordIdentifiersValueAsString": ["UA1"]},
    ]
    read_response = store.batch_get_record(Identifiers=identifiers)
    assert [entry["RecordIdentifierValueAsString"] for entry in read_response["Records"]] == ["UA1", "UA2"]
    assert [entry["FeatureGroupName"] for entry in read_response["Errors"]] == ["none"]


def test_added_features_and_time_to_live_change_a_group_in_place(
    store: Any, s3: Any, sagemaker: Any, group: str, bucket: str
) -> None:
    store.put_record(FeatureGroupName=group, Record=build_record("UA1", NOON))
    added = [{"FeatureName": "wind", "FeatureType": "Fractional"}]
    sagemaker.update_feature_group(FeatureGroupName=group, FeatureAdditions=added)
    ttl = {"TtlDuration": {"Unit": "Days", "Value": 9000}}
    sagemaker.update_feature_group(FeatureGroupName=group, OnlineStoreConfig=ttl)
    described = sagemaker.describe_feature_group(FeatureGroupName=group)
    assert described["FeatureDefinitions"] == DEFINITIONS + added
    assert described["OnlineStoreConfig"] == {"EnableOnlineStore": True, **ttl}
    store.put_record(FeatureGroupName=group, Record=build_record("UA2", NOON, wind="7.5"))
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    rows = {row["flight"]: row for key in keys for row in read_rows(s3, bucket, key)}
    assert (rows["UA1"].get("wind"), rows["UA2"]["wind"]) == (None, 7.5)


def test_a_store_moves_to_standard_v2_in_place_and_then_takes_updates_of_single_features(
    store: Any, sagemaker: Any, group: str
) -> None:
    def update(identifier: str = "UA1", **features: str) -> None:
        store.update_record(
            FeatureGroupName=group,
            RecordIdentifierValueAsString=identifier,
            Features=[{"FeatureName": name, "ValueAsString": value} for name, value in features.items()],
        )

    store.put_record(FeatureGroupName=group, Record=build_record("UA1", NOON, distance="719.5", seats="180"))
    assert "Standard_V2 or InMemory" in catch_error(lambda: update(seats="181"))[1]
    for storage_type, refused in (("InMemory", True), ("Standard_V2", False), ("Standard", True)):
        change = {"StorageType": storage_type}
        if refused:
            code, message = catch_error(
                lambda change=change: sagemaker.update_feature_group(FeatureGroupName=group, OnlineStoreConfig=change)
            )
            assert (code, "cannot change from" in message) == ("ValidationException", True)
        else:
            sagemaker.update_feature_group(FeatureGroupName=group, OnlineStoreConfig=change)
    assert sagemaker.describe_feature_group(FeatureGroupName=group)["OnlineStoreConfig"]["StorageType"] == "Standard_V2"

    update(seats="181")
    update(event_time=LATER, distance="720")
    stored = store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="UA1")["Record"]
    assert read_values(stored) == {"flight": "UA1", "event_time": LATER, "distance": "720", "seats": "181"}
    assert catch_error(lambda: update(event_time=NOON, seats="1"))[0] == "ConflictException"
    assert catch_error(lambda: update("UA2", seats="1"))[0] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"EventTimeFeatureName": "when"}, "EventTimeFeatureName when must be one of the names"),
        ({"EventTimeFeatureName": "seats"}, "EventTime feature must be of type String or Fractional"),
        ({"OnlineStoreConfig": {"TtlDuration": {"Unit": "Days", "Value": 1}}}, "TtlDuration can only be set"),
        ({"FeatureDefinitions": [*DEFINITIONS, DEFINITIONS[0]]}, "Duplicate FeatureName flight"),
        ({"FeatureDefinitions": [*DEFINITIONS, {"FeatureName": "write_time", "FeatureType": "String"}]}, "reserved"),
    ],
)
def test_an_impossible_feature_group_is_refused(
    sagemaker: Any, fresh: Fresh, bucket: str, change: Any, why: str
) -> None:
    code, message = catch_error(sagemaker.create_feature_group, **(define_group(fresh("bad"), bucket) | change))
    assert code == "ValidationException"
    assert why in message


def test_a_blocked_offline_store_reports_it_and_loses_nothing(
    store: Any, s3: Any, sagemaker: Any, fresh: Fresh
) -> None:
    missing = fresh("not-there-yet")
    group = make_group(sagemaker, fresh("blocked"), missing)
    store.put_record(FeatureGroupName=group, Record=build_record("UA1", NOON))
    catch_error(s3.list_objects_v2, Bucket=missing)
    described = sagemaker.describe_feature_group(FeatureGroupName=group)
    assert described["OfflineStoreStatus"]["Status"] == "Blocked"
    assert "NoSuchBucket" in described["OfflineStoreStatus"]["BlockedReason"]
    s3.create_bucket(Bucket=missing, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    assert s3.list_objects_v2(Bucket=missing)["KeyCount"] == 1


@pytest.mark.slow
def test_a_thousand_records_are_written_soon(store: Any, group: str) -> None:
    start = time.monotonic()
    for first in range(0, 1000, 25):
        batch = [{"FeatureGroupName": group, "Record": build_record(f"UA{first + n}", NOON)} for n in range(25)]
        assert not store.batch_write_record(Entries=batch)["Errors"]
    assert time.monotonic() - start < 300  # a second on most computers


def define_group(name: str, bucket: str, **online: Any) -> dict[str, Any]:
    return {
        "FeatureGroupName": name,
        "RecordIdentifierFeatureName": "flight",
        "EventTimeFeatureName": "event_time",
        "FeatureDefinitions": DEFINITIONS,
        "RoleArn": ROLE,
        "OnlineStoreConfig": {"EnableOnlineStore": True, **online},
        "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features"}},
    }


def make_group(sagemaker: Any, name: str, bucket: str, **online: Any) -> str:
    sagemaker.create_feature_group(**define_group(name, bucket, **online))
    wait_until(lambda: sagemaker.describe_feature_group(FeatureGroupName=name)["FeatureGroupStatus"] == "Created")
    return name


def build_record(flight: str, event_time: str, **others: str) -> list[dict[str, str]]:
    features = {"flight": flight, "event_time": event_time, **others}
    return [{"FeatureName": name, "ValueAsString": value} for name, value in features.items()]


def read_values(features: list[dict[str, str]]) -> dict[str, str]:
    return {feature["FeatureName"]: feature["ValueAsString"] for feature in features}


def read_rows(s3: Any, bucket: str, key: str) -> list[dict[str, Any]]:
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
    return rows


GENERATE = {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"}
THROUGH_S3 = {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-north-1.amazonaws.com"}}}


@pytest.mark.parametrize(
    ("statement", "key_condition", "allowed"),
    [
        (GENERATE, {}, True),
        (GENERATE | THROUGH_S3, {}, False),
        (GENERATE | {"Action": "kms:Decrypt"}, {}, False),
        (GENERATE, {"Condition": {"StringLike": {"kms:ViaService": "sagemaker.*.amazonaws.com"}}}, False),
    ],
)
def test_the_role_of_an_offline_store_needs_direct_access_to_its_key(
    statement: dict[str, Any],
    key_condition: dict[str, Any],
    allowed: bool,
    sandbox: Sandbox,
    sagemaker: Any,
    fresh: Fresh,
    bucket: str,
) -> None:
    name = fresh("encrypted")
    role = make_role(sandbox, name)
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    sandbox.client("iam").put_role_policy(RoleName=name, PolicyName="key", PolicyDocument=json.dumps(policy))
    account = {"AWS": "arn:aws:iam::123456789012:root"}
    key_statement = {"Effect": "Allow", "Principal": account, "Action": "kms:*", "Resource": "*"} | key_condition
    kms = sandbox.client("kms")
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [key_statement]}))["KeyMetadata"][
        "Arn"
    ]
    request = define_group(name, bucket) | {"RoleArn": role}
    request["OfflineStoreConfig"] = {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features", "KmsKeyId": key}}
    if allowed:
        sagemaker.create_feature_group(**request)
        return
    code, message = catch_error(sagemaker.create_feature_group, **request)
    assert code == "ValidationException"
    assert "kms:GenerateDataKey" in message
    assert role in message


@pytest.mark.parametrize("region", ["eu-north-1", "eu-nowhere-1"])
def test_the_key_of_an_offline_store_exists(region: str, sagemaker: Any, fresh: Fresh, bucket: str) -> None:
    request = define_group(fresh("keyless"), bucket)
    key = f"arn:aws:kms:{region}:123456789012:key/00000000-0000-4000-8000-000000000000"
    request["OfflineStoreConfig"] = {"S3StorageConfig": {"S3Uri": f"s3://{bucket}/features", "KmsKeyId": key}}
    assert catch_error(sagemaker.create_feature_group, **request) == (
        "ValidationException",
        f"Validation Error: The KMS key {key} does not exist or is not accessible.",
    )


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, True),
        ({"StringEquals": {"aws:SourceAccount": "210987654321"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:eu-north-1:123456789012:*"}}, False),
    ],
)
def test_feature_store_assumes_its_role_for_its_account_without_a_source(
    condition: dict[str, Any], allowed: bool, sandbox: Sandbox, sagemaker: Any, fresh: Fresh, bucket: str
) -> None:
    name = fresh("trusted")
    role, iam = make_role(sandbox, name), sandbox.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [TRUST["Statement"][0] | {"Condition": condition}]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    request = define_group(name, bucket) | {"RoleArn": role}
    if allowed:
        sagemaker.create_feature_group(**request)
        return
    code, message = catch_error(sagemaker.create_feature_group, **request)
    assert code == "ValidationException"
    assert f"Could not assume role {role}" in message
