"""Feature groups: the schema and the stores of features. `store` holds their records."""

import time
from contextlib import suppress

from sagemaker_sandbox.base.errors import ResourceInUseError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.faults.fault_rules import CREATE_FAILED
from sagemaker_sandbox.feature_store import offline_store_keys
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, now

#: Columns that the offline store adds.
RESERVED_FEATURES = ("is_deleted", "write_time", "api_invocation_time")
_MAX_FEATURES = 2500
#: Glue's names of the feature types.
_GLUE_TYPES = {"String": "string", "Integral": "bigint", "Fractional": "double"}


class FeatureGroups(ResourceFamily):
    """Handlers of the operations on feature groups and on the metadata of features."""

    arn_type = "feature-group"
    noun = "feature group"

    @emulated_operation
    def create_feature_group(self, request: Fields) -> Fields:
        """Create a feature group: Creating, then Created."""
        name = request["FeatureGroupName"]
        if self.find(name) is not None:
            raise ResourceInUseError(
                f"Resource Already Exists: FeatureGroup with name {name} already exists. Choose a different name."
            )
        definitions = request["FeatureDefinitions"]
        _check_features(definitions)
        _check_key_features(request)
        _check_stores(request)
        offline_store_keys.check_key(self.region, request)
        group = self.add(name, request | {"FeatureGroupStatus": "Creating"}, request.get("Tags"))
        group.fields |= {
            "FeatureGroupArn": group.arn,
            "FeatureDefinitions": list(definitions),
            "ThroughputConfig": {"ThroughputMode": "OnDemand"} | request.get("ThroughputConfig", {}),
            "NextToken": "",
        }
        if "OfflineStoreConfig" in request:
            group.fields["OfflineStoreConfig"] = self._complete_offline_store(name, request["OfflineStoreConfig"])
            self._register_table(group.fields["OfflineStoreConfig"], definitions)
            group.fields["OfflineStoreStatus"] = {"Status": "Active"}
        result: Fields = {"FeatureGroupStatus": "Created"}
        if (fault := self.region.faults.take_failure("CreateFeatureGroup", name, CREATE_FAILED)) is not None:
            reason = fault.message or "Internal failure: the feature group could not be created."
            result = {"FeatureGroupStatus": CREATE_FAILED, "FailureReason": reason}
        self.schedule_change(group, "CreateFeatureGroup", result)
        return {"FeatureGroupArn": group.arn}

    def _complete_offline_store(self, name: str, config: Fields) -> Fields:
        """Return the configuration with the table and the data location that SageMaker adds."""
        table = f"{name.replace('-', '_').lower()}_{int(time.time())}"
        storage = config["S3StorageConfig"]
        root = storage["S3Uri"].rstrip("/")
        account, region = self.region.account_id, self.region.name
        folder = f"{name}-{table.rsplit('_', 1)[1]}"
        resolved = f"{root}/{account}/sagemaker/{region}/offline-store/{folder}/data"
        completed: Fields = {
            "DisableGlueTableCreation": False,
            "TableFormat": "Glue",
            "S3StorageConfig": {"ResolvedOutputS3Uri": resolved} | storage,
        }
        if not config.get("DisableGlueTableCreation"):
            catalog = {"TableName": table, "Catalog": "AwsDataCatalog", "Database": "sagemaker_featurestore"}
            completed["DataCatalogConfig"] = catalog
        return completed | {key: value for key, value in config.items() if key != "S3StorageConfig"}

    def _register_table(self, store: Fields, definitions: list[Fields]) -> None:
        """Register the offline store in Glue's catalog. As on AWS, the table outlives the feature group."""
        if (catalog := store.get("DataCatalogConfig")) is None:
            return
        glue = self.region.client("glue")
        database = catalog["Database"]
        with suppress(glue.exceptions.AlreadyExistsException):
            glue.create_database(DatabaseInput={"Name": database})
        columns = [
            {"Name": definition["FeatureName"].lower(), "Type": _GLUE_TYPES[definition["FeatureType"]]}
            for definition in definitions
        ]
        storage = {"Columns": columns, "Location": store["S3StorageConfig"]["ResolvedOutputS3Uri"]}
        table = {"Name": catalog["TableName"], "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
        if store["TableFormat"] == "Iceberg":
            table["Parameters"] = {"table_type": "ICEBERG"}
        glue.create_table(DatabaseName=database, TableInput=table)

    @emulated_operation
    def describe_feature_group(self, request: Fields) -> Fields:
        """Return the group with all its features on one page."""
        return self.get(request["FeatureGroupName"]).fields

    @emulated_operation
    def update_feature_group(self, request: Fields) -> Fields:
        """Add features, or change the online store's time to live or storage type, or the throughput.

        Nothing can be removed.
        """
        group = self.get(request["FeatureGroupName"])
        if group.fields["FeatureGroupStatus"] != "Created":
            raise ValidationError(f"FeatureGroup {group.name} is in status {group.fields['FeatureGroupStatus']}.")
        if additions := request.get("FeatureAdditions"):
            definitions = group.fields["FeatureDefinitions"] + additions
            _check_features(definitions)
            group.fields["FeatureDefinitions"] = definitions
        if "OnlineStoreConfig" in request:
            online = group.fields.get("OnlineStoreConfig", {})
            if not online.get("EnableOnlineStore"):
                raise ValidationError("Cannot update OnlineStoreConfig of a FeatureGroup without an online store.")
            _check_migration(group.name, online, request["OnlineStoreConfig"])
            group.fields["OnlineStoreConfig"] = online | request["OnlineStoreConfig"]
        if "ThroughputConfig" in request:
            group.fields["ThroughputConfig"] = group.fields["ThroughputConfig"] | request["ThroughputConfig"]
        group.fields |= {"LastUpdateStatus": {"Status": "InProgress"}, "LastModifiedTime": now()}
        self.schedule_change(group, "UpdateFeatureGroup", {"LastUpdateStatus": {"Status": "Successful"}})
        return {"FeatureGroupArn": group.arn}

    @emulated_operation
    def list_feature_groups(self, request: Fields) -> Fields:
        """Return summaries, newest first."""
        return list_page("ListFeatureGroups", request, self, name="FeatureGroupName", status="FeatureGroupStatus")

    @emulated_operation
    def delete_feature_group(self, request: Fields) -> Fields:
        """Delete the group with its online records. As on AWS, the data in S3 stays."""
        group = self.get(request["FeatureGroupName"])
        group.fields["FeatureGroupStatus"] = "Deleting"
        self.schedule_deletion(group, "DeleteFeatureGroup")
        return {}

    @emulated_operation
    def update_feature_metadata(self, request: Fields) -> Fields:
        """Change description and parameters of one feature."""
        metadata = self._get_metadata(request)
        parameters = metadata["parameters"]
        if "Description" in request:
            metadata["description"] = request["Description"]
        for parameter in request.get("ParameterAdditions", []):
            parameters[parameter["Key"]] = parameter["Value"]
        for key in request.get("ParameterRemovals", []):
            parameters.pop(key, None)
        return {}

    @emulated_operation
    def describe_feature_metadata(self, request: Fields) -> Fields:
        """Return type, description and parameters of one feature."""
        group = self.get(request["FeatureGroupName"])
        metadata = self._get_metadata(request)
        parameters = [{"Key": key, "Value": value} for key, value in metadata["parameters"].items()]
        definition = next(d for d in group.fields["FeatureDefinitions"] if d["FeatureName"] == request["FeatureName"])
        # The description of the group must not replace that of the feature.
        described: Fields = (
            group.fields | definition | {"Description": metadata["description"], "Parameters": parameters}
        )
        return described

    def _get_metadata(self, request: Fields) -> Fields:
        group, feature = self.get(request["FeatureGroupName"]), request["FeatureName"]
        if all(definition["FeatureName"] != feature for definition in group.fields["FeatureDefinitions"]):
            raise ResourceNotFoundError(
                f"Resource Not Found: Amazon SageMaker can't find Feature {feature} in FeatureGroup {group.name}."
            )
        features: dict[str, Fields] = group.private.setdefault("features", {})
        return features.setdefault(feature, {"description": None, "parameters": {}})

    def create_not_found_error(self, name: str) -> Exception:
        """Return the error, which feature groups have of their own."""
        return ResourceNotFoundError(
            f"Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}. "
            "Ensure that the FeatureGroup exists in this account and Region."
        )


def _check_features(definitions: list[Fields]) -> None:
    names = [definition["FeatureName"] for definition in definitions]
    reserved = sorted(set(names) & set(RESERVED_FEATURES))
    if reserved:
        raise ValidationError(f"Validation Error: FeatureName {reserved[0]} is reserved.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValidationError(f"Validation Error: Duplicate FeatureName {repeated[0]}.")
    if len(names) > _MAX_FEATURES:
        raise ValidationError(f"Validation Error: a FeatureGroup has at most {_MAX_FEATURES} features.")


def _check_key_features(request: Fields) -> None:
    types = {definition["FeatureName"]: definition["FeatureType"] for definition in request["FeatureDefinitions"]}
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if request[member] not in types:
            raise ValidationError(
                f"Validation Error: {member} {request[member]} must be one of the names in FeatureDefinitions."
            )
    if types[request["EventTimeFeatureName"]] not in ("String", "Fractional"):
        raise ValidationError("Validation Error: The EventTime feature must be of type String or Fractional.")
    if types[request["RecordIdentifierFeatureName"]] not in ("String", "Integral"):
        raise ValidationError("Validation Error: The RecordIdentifier feature must be of type String or Integral.")


def _check_stores(request: Fields) -> None:
    online = request.get("OnlineStoreConfig", {})
    enabled = online.get("EnableOnlineStore", False)
    if not enabled and "OfflineStoreConfig" not in request:
        raise ValidationError("Validation Error: either OnlineStoreConfig or OfflineStoreConfig must be specified.")
    if "TtlDuration" in online and not enabled:
        raise ValidationError("Validation Error: TtlDuration can only be set for a FeatureGroup with an online store.")


def _check_migration(name: str, online: Fields, update: Fields) -> None:
    """Raise ValidationError for a change of the storage type other than Standard to Standard_V2.

    Source: SageMaker API reference, OnlineStoreConfigUpdate.
    """
    before, after = online.get("StorageType", "Standard"), update.get("StorageType")
    if after not in (None, before) and (before, after) != ("Standard", "Standard_V2"):
        raise ValidationError(
            f"Validation Error: the StorageType of FeatureGroup {name} cannot change from {before} to {after}."
        )
