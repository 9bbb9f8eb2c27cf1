"""Many at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from sustainable_mlops.sandbox import Sandbox
from sustainable_mlops.sandbox.client import make_client
from tests.sandbox.test_lives import make_feature_group

AT_ONCE = 500


@pytest.mark.slow
def test_five_hundred_records_put_at_once_are_all_there(
    sandbox: Sandbox, sagemaker: Any, fresh: Callable[[str], str]
) -> None:
    group, together = fresh("load"), Barrier(AT_ONCE)
    make_feature_group(sagemaker, group)
    retries = {"total_max_attempts": 1}
    store = make_client(
        "sagemaker-featurestore-runtime", "eu-north-1", sandbox.endpoint, max_pool_connections=AT_ONCE, retries=retries
    )

    def put(number: int) -> int:
        values = {"id": str(number), "at": "2026-01-01T00:00:00Z"}
        record = [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]
        together.wait()
        answer = store.put_record(FeatureGroupName=group, Record=record)
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert set(threads.map(put, range(AT_ONCE))) == {200}
    wanted = [
        {"FeatureGroupName": group, "RecordIdentifiersValueAsString": [str(one) for one in range(start, start + 100)]}
        for start in range(0, AT_ONCE, 100)
    ]
    assert len(store.batch_get_record(Identifiers=wanted)["Records"]) == AT_ONCE
