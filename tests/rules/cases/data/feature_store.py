"""Cases of rules/data/feature_store.py."""

from typing import Any

from tests.rules.case_tables import RuleCase
from tests.rules.jobs import UNKNOWN, Resources

_KEY = "arn:aws:kms:eu-north-1:123456789012:key/k"
_TTL = {"unit": "Days", "value": 7}


def _group(**settings: Any) -> Resources:
    return {"aws_sagemaker_feature_group.f": {"feature_group_name": "flights", **settings}}


def _online(**store: Any) -> Resources:
    return _group(online_store_config={"enable_online_store": True, **store})


def _offline(**store: Any) -> Resources:
    return _group(offline_store_config={"s3_storage_config": {"s3_uri": "s3://b/f"}, **store})


_TABLE = {"catalog": "AwsDataCatalog", "database": "features", "table_name": "flights"}
_ICEBERG = _offline(table_format="Iceberg", data_catalog_config=_TABLE)


def _optimizer(table: str, kind: str = "compaction") -> Resources:
    return {"aws_glue_catalog_table_optimizer.o": {"table_name": table, "database_name": "features", "type": kind}}


CASES = {
    "SUS_FEATURE_GROUP_OFFLINE": {
        "pass": {"an offline store": _offline()},
        "fail": {"online only": _online()},
        "unknown": {"unknown": _group(offline_store_config=UNKNOWN)},
        "not_applicable": {"another resource": {"aws_sagemaker_model.m": {}}},
    },
    "SUS_ONLINE_STORE_READ": {
        "pass": {
            "tagged": {
                "aws_sagemaker_feature_group.f": {
                    **_online()["aws_sagemaker_feature_group.f"],
                    "tags": {"serving": "online"},
                }
            }
        },
        "fail": {"not tagged": _online()},
        "unknown": {"unknown": _group(online_store_config={"enable_online_store": UNKNOWN})},
        "not_applicable": {
            "offline only": _offline(),
            "disabled": _group(online_store_config={"enable_online_store": False}),
        },
    },
    "SUS_ONLINE_STORE_TTL": {
        "pass": {"a week": _online(ttl_duration=_TTL)},
        "fail": {"none": _online()},
        "unknown": {"unknown": _online(ttl_duration={"unit": "Days", "value": UNKNOWN})},
        "not_applicable": {"offline only": _offline()},
    },
    "SUS_TTL_WITHOUT_ONLINE_STORE": {
        "pass": {"online": _online(ttl_duration=_TTL)},
        "fail": {"disabled": _group(online_store_config={"enable_online_store": False, "ttl_duration": _TTL})},
        "unknown": {"unknown": _group(online_store_config={"enable_online_store": UNKNOWN, "ttl_duration": _TTL})},
        "not_applicable": {"no time to live": _online(), "offline only": _offline()},
    },
    "SUS_FEATURE_GROUP_THROUGHPUT": {
        "pass": {
            "on demand": {
                "aws_sagemaker_feature_group.f": {
                    **_online()["aws_sagemaker_feature_group.f"],
                    "throughput_config": {"throughput_mode": "OnDemand"},
                }
            },
            "by default": _online(),
        },
        "fail": {
            "provisioned": {
                "aws_sagemaker_feature_group.f": {
                    **_online()["aws_sagemaker_feature_group.f"],
                    "throughput_config": {"throughput_mode": "Provisioned"},
                }
            }
        },
        "unknown": {
            "unknown": _group(online_store_config=UNKNOWN, throughput_config={"throughput_mode": UNKNOWN}),
            "unknown online store": _group(
                online_store_config={"enable_online_store": UNKNOWN},
                throughput_config={"throughput_mode": "Provisioned"},
            ),
        },
        "not_applicable": {"offline only": _offline()},
    },
    "SUS_THROUGHPUT_IN_MEMORY": {
        "pass": "the rule does not apply to on-demand throughput or a Standard store",
        "fail": {
            "both settings": _group(
                online_store_config={"enable_online_store": True, "storage_type": "InMemory"},
                throughput_config={"throughput_mode": "Provisioned"},
            )
        },
        "unknown": {
            "unknown type": _group(
                online_store_config={"enable_online_store": True, "storage_type": UNKNOWN},
                throughput_config={"throughput_mode": "Provisioned"},
            ),
            "unknown online store": _group(
                online_store_config={"enable_online_store": UNKNOWN, "storage_type": "InMemory"},
                throughput_config={"throughput_mode": "Provisioned"},
            ),
        },
        "not_applicable": {
            "in memory on demand": _online(storage_type="InMemory"),
            "offline only": _group(
                online_store_config={"enable_online_store": False, "storage_type": "InMemory"},
                throughput_config={"throughput_mode": "Provisioned"},
            ),
            "standard": _group(
                online_store_config={"enable_online_store": True, "storage_type": "Standard"},
                throughput_config={"throughput_mode": "Provisioned"},
            ),
        },
    },
    "SUS_OFFLINE_STORE_ICEBERG": {
        "pass": {"Iceberg": _offline(table_format="Iceberg")},
        "fail": {"Glue": _offline(table_format="Glue"), "by default": _offline()},
        "unknown": {"unknown": _offline(table_format=UNKNOWN)},
        "not_applicable": {
            "online only": _online(),
            "an existing group": RuleCase(
                _offline(table_format="Glue"), actions={"aws_sagemaker_feature_group.f": "no-op"}
            ),
        },
    },
    "SUS_ICEBERG_COMPACTION": {
        "pass": {"compacted": {**_ICEBERG, **_optimizer("flights")}},
        "fail": {
            "nothing": _ICEBERG,
            "another table": {**_ICEBERG, **_optimizer("weather")},
            "only retention": {**_ICEBERG, **_optimizer("flights", "retention")},
        },
        "unknown": {"unknown table": {**_ICEBERG, **_optimizer(UNKNOWN)}},
        "not_applicable": {
            "no table name": _offline(table_format="Iceberg"),
            "not Iceberg": _offline(data_catalog_config=_TABLE),
        },
    },
    "SUS_OFFLINE_STORE_CATALOGUED": {
        "pass": {"by default": _offline()},
        "fail": {"disabled": _offline(disable_glue_table_creation=True)},
        "unknown": {"unknown": _offline(disable_glue_table_creation=UNKNOWN)},
        "not_applicable": {"online only": _online()},
    },
    "SUS_FEATURE_STORE_KMS": {
        "pass": {
            "offline": _group(offline_store_config={"s3_storage_config": {"s3_uri": "s3://b/f", "kms_key_id": _KEY}}),
            "a key known after apply": _online(security_config={"kms_key_id": UNKNOWN}),
        },
        "fail": {"offline": _offline(), "online": _online()},
        "unknown": {"unknown store": _group(online_store_config={"enable_online_store": UNKNOWN})},
        "not_applicable": {"no store": _group()},
    },
}
