"""Records of all feature groups of one Region, in both stores."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sagemaker_sandbox.base.errors import ConflictError, ResourceNotFoundError
from sagemaker_sandbox.feature_store.feature_groups import FeatureGroups
from sagemaker_sandbox.feature_store.offline import FLUSH_SECONDS, OfflineRow, OfflineStore
from sagemaker_sandbox.feature_store.online import OnlineEntry, OnlineRecords
from sagemaker_sandbox.feature_store.records import FeatureSchema, RecordError, compute_expiry
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import ServicePart
from sagemaker_sandbox.resources.role_environment import create_role_client
from sustainable_mlops.aws.s3 import S3Uri

Features = list[dict[str, Any]]
_STORES = ("OnlineStore", "OfflineStore")
#: Types of online stores whose records can be changed in part. Source: API reference, UpdateRecord.
_PARTIAL_STORES = ("Standard_V2", "InMemory")
_MAX_UPDATED_FEATURES = 100


class RecordStores(ServicePart):
    """Online and offline stores of one Region. Every method takes the name or ARN of a feature group."""

    def __init__(self, region: AccountRegion, groups: FeatureGroups) -> None:
        super().__init__(region)
        self._groups = groups
        groups.on_removed.append(self.forget)
        self._online: dict[str, OnlineRecords] = {}
        self._offline: dict[str, OfflineStore] = {}
        self._lock = threading.Lock()
        self._is_flushing = False

    def put(
        self, group: str, features: Features, stores: Sequence[str] | None = None, ttl: Mapping[str, Any] | None = None
    ) -> None:
        """Write a record to the named stores, or to all stores of the group."""
        fields = self._group(group)
        targets = _list_targets(fields, stores)
        schema = FeatureSchema.from_description(fields)
        record = schema.parse_record(features)
        event_time = schema.parse_event_time(record[schema.event_time])
        if "OnlineStore" in targets:
            ttl = ttl or fields["OnlineStoreConfig"].get("TtlDuration")
            expires_at = compute_expiry(event_time, ttl) if ttl else None
            self._get_online(fields).write(record[schema.identifier], OnlineEntry(event_time, record, expires_at))
        if "OfflineStore" in targets:
            self._get_offline(fields).append(OfflineRow(schema.convert_record(record), event_time))
        self.region.mark_changed()

    def update(
        self,
        group: str,
        identifier: str,
        features: Features,
        stores: Sequence[str] | None = None,
        ttl: Mapping[str, Any] | None = None,
    ) -> None:
        """Change features of an existing record. Source: SageMaker API reference, UpdateRecord."""
        fields = self._group(group)
        targets = _list_targets(fields, stores)
        _check_update(fields, features)
        schema = FeatureSchema.from_description(fields)
        online = self._get_online(fields)
        with self._lock:
            existing = online.read(identifier)
            if existing is None or existing.record is None:
                raise ResourceNotFoundError(
                    f"Resource Not Found: FeatureGroup {schema.group} has no record with identifier {identifier}."
                )
            changes = schema.parse_features(features)
            if changes.setdefault(schema.identifier, identifier) != identifier:
                raise RecordError(f"Validation Error: Feature {schema.identifier} identifies the record.")
            if ttl and schema.event_time not in changes:
                raise RecordError("Validation Error: TtlDuration needs a value of the event time feature.")
            record = {**existing.record, **changes}
            event_time = schema.parse_event_time(record[schema.event_time])
            if event_time < existing.event_time:
                raise ConflictError(f"The EventTime of the update is older than the record's {existing.event_time}.")
            expires_at = compute_expiry(event_time, ttl) if ttl else existing.expires_at
            if expires_at is not None and not ttl:
                expires_at += event_time - existing.event_time  # the duration stays
            if "OnlineStore" in targets:
                online.write(identifier, OnlineEntry(event_time, record, expires_at))
        if "OfflineStore" in targets:
            self._get_offline(fields).append(OfflineRow(schema.convert_record(record), event_time))
        self.region.mark_changed()

    def get(self, group: str, identifier: str, names: Sequence[str] | None = None) -> tuple[Features, datetime | None]:
        """Return the features of a record in the online store, and the moment at which it expires.

        The list is empty if there is no such record.
        """
        fields = self._group(group)
        if not _has_online(fields):
            raise RecordError(f"Validation Error: FeatureGroup {fields['FeatureGroupName']} has no online store.")
        definitions = FeatureSchema.from_description(fields).definitions
        for name in names or ():
            if name not in definitions:
                raise RecordError(
                    f"Validation Error: FeatureGroup {fields['FeatureGroupName']} does not contain a feature with "
                    f"name {name}."
                )
        entry = self._get_online(fields).read(identifier)
        if entry is None or entry.record is None:
            return [], None
        selected = [name for name in (names or definitions) if entry.record.get(name) is not None]
        return [_build_feature(name, entry.record[name]) for name in selected], entry.expires_at

    def delete(
        self, group: str, identifier: str, event_time: str, stores: Sequence[str] | None = None, *, hard: bool = False
    ) -> None:
        """Delete a record. The offline store gets a marker row.

        In the online store, a soft deletion keeps the event time, and a hard deletion removes everything.
        """
        fields = self._group(group)
        targets = _list_targets(fields, stores)
        schema = FeatureSchema.from_description(fields)
        moment = schema.parse_event_time(event_time)
        if "OnlineStore" in targets and hard:
            self._get_online(fields).remove(identifier, moment)
        elif "OnlineStore" in targets:
            self._get_online(fields).write(identifier, OnlineEntry(moment, None))
        if "OfflineStore" in targets:
            marker = schema.convert_record({schema.identifier: identifier, schema.event_time: event_time})
            self._get_offline(fields).append(OfflineRow(marker, moment, is_deleted=True))
        self.region.mark_changed()

    def flush(self, bucket: str | None = None) -> None:
        """Write buffered rows to S3: all rows, or those for one bucket."""
        for name, store in list(self._offline.items()):
            if bucket in (None, self._find_bucket(name)):
                store.flush()  # also without buffered rows: another flush may be in progress

    def forget(self, group: str) -> None:
        """Remove the online records of a deleted group, and write its last rows to S3."""
        with self._lock:
            self._online.pop(group, None)
            offline = self._offline.pop(group, None)
        if offline is not None:
            self.region.start_thread(f"last rows of {group}", offline.flush)

    def snapshot(self) -> Any:
        """Return the online records, and the rows that are not in S3 yet."""
        with self._lock:
            online = {name: store.to_data() for name, store in self._online.items()}
            return {
                "online": online,
                "offline": {name: store.list_unwritten_rows() for name, store in self._offline.items()},
            }

    def restore(self, snapshot: Any) -> None:
        """Restore the records. The groups already exist."""
        self._online = {name: OnlineRecords.from_data(entries) for name, entries in snapshot["online"].items()}
        for name, rows in snapshot["offline"].items():
            if rows and (group := self._groups.find(name)) is not None:
                store = self._get_offline(group.fields)
                for row in rows:
                    store.append(OfflineRow(**row))

    def close(self) -> None:
        """Write all rows to S3."""
        self.flush()

    def _group(self, name_or_arn: str) -> dict[str, Any]:
        with self.region.lock:
            group = self._groups.find(name_or_arn)
        if group is None:
            name = name_or_arn.rsplit("/", 1)[-1]
            raise RecordError(f"Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}.")
        if group.fields["FeatureGroupStatus"] != "Created":
            raise RecordError(f"FeatureGroup {group.name} is in status {group.fields['FeatureGroupStatus']}.")
        return group.fields

    def _find_bucket(self, name: str) -> str | None:
        group = self._groups.resources.get(name)
        return S3Uri.parse(group.fields["OfflineStoreConfig"]["S3StorageConfig"]["S3Uri"]).bucket if group else None

    def _get_online(self, fields: Mapping[str, Any]) -> OnlineRecords:
        with self._lock:
            return self._online.setdefault(fields["FeatureGroupName"], OnlineRecords())

    def _get_offline(self, fields: dict[str, Any]) -> OfflineStore:
        name = fields["FeatureGroupName"]
        with self._lock:
            if name not in self._offline:
                self._offline[name] = OfflineStore(create_role_client(self.region, "s3", fields.get("RoleArn")), fields)
            if not self._is_flushing:
                self._is_flushing = True
                self.region.start_thread("offline store", self._flush_regularly)
            return self._offline[name]

    def _flush_regularly(self) -> None:
        while not self.region.closing.wait(FLUSH_SECONDS):
            self.flush()


def _has_online(fields: Mapping[str, Any]) -> bool:
    return bool(fields.get("OnlineStoreConfig", {}).get("EnableOnlineStore"))


def _check_update(fields: Mapping[str, Any], features: Features) -> None:
    storage = fields.get("OnlineStoreConfig", {}).get("StorageType", "Standard")
    if not _has_online(fields) or storage not in _PARTIAL_STORES:
        raise RecordError(
            f"Validation Error: UpdateRecord needs an online store of type {' or '.join(_PARTIAL_STORES)}; "
            f"FeatureGroup {fields['FeatureGroupName']} has {storage if _has_online(fields) else 'none'}."
        )
    if len(features) > _MAX_UPDATED_FEATURES:
        raise RecordError(f"Validation Error: an update has at most {_MAX_UPDATED_FEATURES} features.")


def _list_targets(fields: Mapping[str, Any], requested: Sequence[str] | None) -> list[str]:
    available = {"OnlineStore": _has_online(fields), "OfflineStore": "OfflineStoreConfig" in fields}
    for store in requested or ():
        if not available[store]:
            raise RecordError(f"Validation Error: FeatureGroup {fields['FeatureGroupName']} has no {store}.")
    return [store for store in (requested or _STORES) if available[store]]


def _build_feature(name: str, value: Any) -> dict[str, Any]:
    return {"FeatureName": name, ("ValueAsStringList" if isinstance(value, list) else "ValueAsString"): value}
