"""The SageMaker SDK's feature store: a group is created, filled with a data frame and read."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.sdk import sdk_environment as sdk_environment
from tests.sandbox.support import ROLE, WAIT_SECONDS

pytestmark = pytest.mark.slow

ROWS = 60  # three batches


@pytest.mark.usefixtures("sdk_environment")
def test_a_data_frame_is_ingested_row_by_row_and_in_batches(bucket: str, fresh: Callable[[str], str]) -> None:
    import pandas as pd
    from sagemaker.core.shapes import OfflineStoreConfig, OnlineStoreConfig, S3StorageConfig
    from sagemaker.mlops.feature_store import FeatureGroupManager, ingest_dataframe
    from sagemaker.mlops.feature_store.feature_utils import load_feature_definitions_from_dataframe

    numbers = range(ROWS)
    frame = pd.DataFrame({"id": [str(number) for number in numbers], "at": "2026-01-01T00:00:00Z", "delay": numbers})
    frame = frame.astype({"id": "string", "at": "string"})
    group = FeatureGroupManager.create(
        feature_group_name=fresh("sdk"),
        record_identifier_feature_name="id",
        event_time_feature_name="at",
        feature_definitions=load_feature_definitions_from_dataframe(frame),
        role_arn=ROLE,
        online_store_config=OnlineStoreConfig(enable_online_store=True),
        offline_store_config=OfflineStoreConfig(s3_storage_config=S3StorageConfig(s3_uri=f"s3://{bucket}/offline")),
    )
    assert group is not None
    name = str(group.feature_group_name)
    group.wait_for_status("Created", poll=1, timeout=WAIT_SECONDS)
    for rows, batches in ((frame[:20], False), (frame[20:], True)):
        ingest_dataframe(name, rows, max_workers=2, use_batch_write_record=batches)
    assert {number: read_delay(group, number) for number in numbers} == {number: str(number) for number in numbers}
    group.delete()
    group.wait_for_delete(poll=1, timeout=WAIT_SECONDS)


def read_delay(group: Any, number: int) -> str:
    """Return the feature of one record from the online store."""
    record = group.get_record(record_identifier_value_as_string=str(number)).record
    return str({value.feature_name: value.value_as_string for value in record}["delay"])
