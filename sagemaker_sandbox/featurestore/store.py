"""Records of all feature groups of one region, in both stores."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sustainable_mlops.aws.s3 import S3Uri
from sagemaker_sandbox.featurestore.offline import FLUSH_SECONDS, OfflineStore, Row
from sagemaker_sandbox.featurestore.online import Entry, OnlineStore
from sagemaker_sandbox.featurestore.records import RecordError, Schema, expiry
from sagemaker_sandbox.parts.region import Region
from sagemaker_sandbox.parts.resources import Part
from sagemaker_sandbox.sagemaker.feature_groups import FeatureGroups

Features = list[dict[str, Any]]
_BOTH = ("OnlineStore", "OfflineStore")


class FeatureStore(Part):
    """Put, get and delete records. Every method takes the feature group's name or ARN."""

    def __init__(self, region: Region, groups: FeatureGroups) -> None:
        super().__init__(region)
        self._groups = groups
        groups.when_gone.append(self.forget)
        self._online: dict[str, OnlineStore] = {}
        self._offline: dict[str, OfflineStore] = {}
        self._lock = threading.Lock()
        self._flushing = False

    def put(
        self,
        group: str,
        features: Features,
        stores: Sequence[str] | None = None,
        ttl: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a record to the stores named, or to all that the group has."""
        fields = self._group(group)
        targets = _targets(fields, stores)
        schema = Schema.of(fields)
        record = schema.check(features)
        event_time = schema.time_of(record[schema.event_time])
        if "OnlineStore" in targets:
            ttl = ttl or fields["OnlineStoreConfig"].get("TtlDuration")
            expires_at = expiry(event_time, ttl) if ttl else None
            self._online_of(fields).write(record[schema.identifier], Entry(event_time, record, expires_at))
        if "OfflineStore" in targets:
            self._offline_of(fields).append(Row(schema.row(record), event_time))
        self.region.changed()

    def get(self, group: str, identifier: str, names: Sequence[str] | None = None) -> tuple[Features, datetime | None]:
        """A record from the online store and when it expires; no features where there is none."""
        fields = self._group(group)
        if not _has_online(fields):
            raise RecordError(f"Validation Error: FeatureGroup {fields['FeatureGroupName']} has no online store.")
        known = Schema.of(fields).definitions
        for name in names or ():
            if name not in known:
                raise RecordError(
                    f"Validation Error: FeatureGroup {fields['FeatureGroupName']} does not contain a feature with "
                    f"name {name}."
                )
        entry = self._online_of(fields).read(identifier)
        if entry is None or entry.record is None:
            return [], None
        wanted = [name for name in (names or known) if entry.record.get(name) is not None]
        return [_feature(name, entry.record[name]) for name in wanted], entry.expires_at

    def delete(
        self,
        group: str,
        identifier: str,
        event_time: str,
        stores: Sequence[str] | None = None,
        *,
        hard: bool = False,
    ) -> None:
        """Soft: the online store forgets the values but not the time; hard: everything. Offline gets a marker row."""
        fields = self._group(group)
        targets = _targets(fields, stores)
        schema = Schema.of(fields)
        moment = schema.time_of(event_time)
        if "OnlineStore" in targets and hard:
            self._online_of(fields).remove(identifier, moment)
        elif "OnlineStore" in targets:
            self._online_of(fields).write(identifier, Entry(moment, None))
        if "OfflineStore" in targets:
            marker = schema.row({schema.identifier: identifier, schema.event_time: event_time})
            self._offline_of(fields).append(Row(marker, moment, deleted=True))
        self.region.changed()

    def flush(self, bucket: str | None = None) -> None:
        """Write buffered rows to S3: all, or those bound for one bucket."""
        for name, store in list(self._offline.items()):
            if bucket in (None, self._bucket(name)):
                store.flush()  # also where no row waits: another flush may be on its way to S3

    def forget(self, group: str) -> None:
        """The group is gone; its online records go, its last rows reach S3."""
        with self._lock:
            self._online.pop(group, None)
            offline = self._offline.pop(group, None)
        if offline is not None:
            self.region.start(f"last rows of {group}", offline.flush)

    def snapshot(self) -> Any:
        """The online records, and the rows that are not in S3 yet."""
        with self._lock:
            online = {name: store.data() for name, store in self._online.items()}
            return {"online": online, "offline": {name: store.waiting() for name, store in self._offline.items()}}

    def restore(self, kept: Any) -> None:
        """Bring them back; the groups are there already."""
        self._online = {name: OnlineStore.of(entries) for name, entries in kept["online"].items()}
        for name, rows in kept["offline"].items():
            if rows and (group := self._groups.find(name)) is not None:
                store = self._offline_of(group.fields)
                for row in rows:
                    store.append(Row(**row))

    def close(self) -> None:
        """All rows are in S3."""
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

    def _bucket(self, name: str) -> str | None:
        group = self._groups.resources.get(name)
        return S3Uri.parse(group.fields["OfflineStoreConfig"]["S3StorageConfig"]["S3Uri"]).bucket if group else None

    def _online_of(self, fields: Mapping[str, Any]) -> OnlineStore:
        with self._lock:
            return self._online.setdefault(fields["FeatureGroupName"], OnlineStore())

    def _offline_of(self, fields: dict[str, Any]) -> OfflineStore:
        name = fields["FeatureGroupName"]
        with self._lock:
            if name not in self._offline:
                self._offline[name] = OfflineStore(self.region.client("s3"), fields)
            if not self._flushing:
                self._flushing = True
                self.region.start("offline store", self._flush_regularly)
            return self._offline[name]

    def _flush_regularly(self) -> None:
        while not self.region.closing.wait(FLUSH_SECONDS):
            self.flush()


def _has_online(fields: Mapping[str, Any]) -> bool:
    return bool(fields.get("OnlineStoreConfig", {}).get("EnableOnlineStore"))


def _targets(fields: Mapping[str, Any], wanted: Sequence[str] | None) -> list[str]:
    there = {"OnlineStore": _has_online(fields), "OfflineStore": "OfflineStoreConfig" in fields}
    for store in wanted or ():
        if not there[store]:
            raise RecordError(f"Validation Error: FeatureGroup {fields['FeatureGroupName']} has no {store}.")
    return [store for store in (wanted or _BOTH) if there[store]]


def _feature(name: str, value: Any) -> dict[str, Any]:
    return {"FeatureName": name, ("ValueAsStringList" if isinstance(value, list) else "ValueAsString"): value}
