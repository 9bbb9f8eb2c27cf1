"""Feature groups with online and offline stores."""

from collections.abc import Iterator
from functools import partial

from sustainable_mlops.account.adopt.adoption import AdoptedObject, ExcludedObject, ExclusionError, ImportedResource
from sustainable_mlops.account.adopt.fields import Fields, Nested, add_tags, convert, make_layout
from sustainable_mlops.account.adopt.reader import Candidate, Reader

KIND = "feature group"
ACTIONS = ("sagemaker:ListFeatureGroups", "sagemaker:DescribeFeatureGroup", "sagemaker:ListTags")
TYPES = ("aws_sagemaker_feature_group",)
_FIELDS: Fields = {
    "FeatureGroupArn": None,
    "CreationTime": None,
    "LastModifiedTime": None,
    "FeatureGroupStatus": None,
    "OfflineStoreStatus": None,
    "LastUpdateStatus": None,
    "FailureReason": None,
    "OnlineStoreTotalSizeBytes": None,
    "FeatureGroupName": "feature_group_name",
    "RecordIdentifierFeatureName": "record_identifier_feature_name",
    "EventTimeFeatureName": "event_time_feature_name",
    "RoleArn": "role_arn",
    "Description": "description",
    "FeatureDefinitions": Nested(
        "feature_definition",
        {
            "FeatureName": "feature_name",
            "FeatureType": "feature_type",
            "CollectionType": "collection_type",
            "CollectionConfig": Nested(
                "collection_config", {"VectorConfig": Nested("vector_config", {"Dimension": "dimension"})}
            ),
        },
    ),
    "OnlineStoreConfig": Nested(
        "online_store_config",
        {
            "EnableOnlineStore": "enable_online_store",
            "StorageType": "storage_type",
            "SecurityConfig": Nested("security_config", {"KmsKeyId": "kms_key_id"}),
            "TtlDuration": Nested("ttl_duration", {"Unit": "unit", "Value": "value"}),
        },
    ),
    "OfflineStoreConfig": Nested(
        "offline_store_config",
        {
            "DisableGlueTableCreation": "disable_glue_table_creation",
            "TableFormat": "table_format",
            "DataCatalogConfig": Nested(
                "data_catalog_config", {"TableName": "table_name", "Catalog": "catalog", "Database": "database"}
            ),
            "S3StorageConfig": Nested(
                "s3_storage_config",
                {
                    "S3Uri": "s3_uri",
                    "KmsKeyId": "kms_key_id",
                    "ResolvedOutputS3Uri": "resolved_output_s3_uri",
                },
            ),
        },
    ),
    "ThroughputConfig": Nested(
        "throughput_config",
        {
            "ThroughputMode": "throughput_mode",
            "ProvisionedReadCapacityUnits": "provisioned_read_capacity_units",
            "ProvisionedWriteCapacityUnits": "provisioned_write_capacity_units",
        },
    ),
}


def read_feature_groups(reader: Reader) -> Iterator[AdoptedObject | ExcludedObject]:
    """Yield the selected feature groups."""
    yield from reader.read_each(KIND, _list_candidates(reader))


def _list_candidates(reader: Reader) -> Iterator[Candidate]:
    for group in reader.account.list_all("sagemaker", "list_feature_groups", "FeatureGroupSummaries"):
        name, arn = group["FeatureGroupName"], group["FeatureGroupArn"]
        if reader.check_selection(KIND, name, identifiers=[arn], tags=partial(reader.read_sagemaker_tags, arn)):
            yield name, partial(_read_group, reader, name)


def _read_group(reader: Reader, name: str) -> AdoptedObject:
    """Return one feature group. Raises ExclusionError unless it is created."""
    group = reader.describe("describe_feature_group", FeatureGroupName=name)
    while token := group.pop("NextToken", ""):
        page = reader.describe("describe_feature_group", FeatureGroupName=name, NextToken=token)
        group = {**page, "FeatureDefinitions": [*group["FeatureDefinitions"], *page["FeatureDefinitions"]]}
    if group.get("FeatureGroupStatus") != "Created":
        raise ExclusionError(
            f"its status is {group.get('FeatureGroupStatus')}; wait until it is Created, and run again"
        )
    body = add_tags(convert(group, _FIELDS), reader.read_sagemaker_tags(group["FeatureGroupArn"]))
    # As in the module feature_store: the provider would replace the group to add a feature.
    body["lifecycle"] = {"prevent_destroy": True, "ignore_changes": ["description", "feature_definition"]}
    label = reader.choose_label("aws_sagemaker_feature_group", name)
    resource = ImportedResource("aws_sagemaker_feature_group", label, name, body, make_layout(_FIELDS))
    return AdoptedObject(KIND, name, (resource,))
