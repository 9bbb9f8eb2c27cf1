"""Results of an adoption: resources to import, excluded objects, and their report."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sustainable_mlops.account.idle.finding import SkippedPart
from sustainable_mlops.authoring.hcl import BlockLayout
from sustainable_mlops.catalogue.regions import find_partition

#: Kinds whose deletion loses data.
DATA_KINDS = ("KMS key", "bucket", "feature group", "model package group", "log group")


class ExclusionError(Exception):
    """Reason to exclude a resource from the configuration."""


@dataclass(frozen=True)
class ImportedResource:
    """A resource block of Terraform, and the ID for its import. `body` is in Terraform's JSON syntax."""

    type: str
    label: str
    import_id: str
    body: Mapping[str, Any]
    layout: BlockLayout = field(default_factory=BlockLayout)

    @property
    def address(self) -> str:
        """Address in the root module."""
        return f"{self.type}.{self.label}"


@dataclass(frozen=True)
class AdoptedObject:
    """An AWS object with the Terraform resources that describe it, extra files by path, and notes for the reader."""

    kind: str
    name: str
    resources: tuple[ImportedResource, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def holds_data(self) -> bool:
        """True if a deletion loses data."""
        return self.kind in DATA_KINDS

    def to_dict(self) -> dict[str, Any]:
        """Return the object as JSON."""
        return {
            "kind": self.kind,
            "name": self.name,
            "holds_data": self.holds_data,
            "imports": [{"address": one.address, "id": one.import_id} for one in self.resources],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class ExcludedObject:
    """A selected object that the configuration excludes, with the reason."""

    kind: str
    name: str
    reason: str

    @property
    def holds_data(self) -> bool:
        """True if a deletion loses data."""
        return self.kind in DATA_KINDS

    def to_dict(self) -> dict[str, Any]:
        """Return the object and the reason as JSON."""
        return {"kind": self.kind, "name": self.name, "holds_data": self.holds_data, "reason": self.reason}


@dataclass
class AdoptionReport:
    """The adopted and the excluded objects of one account and Region."""

    account_id: str
    region: str
    adopted_objects: list[AdoptedObject] = field(default_factory=list)
    excluded_objects: list[ExcludedObject] = field(default_factory=list)
    skipped: list[SkippedPart] = field(default_factory=list)
    #: Numbers of objects that the selection does not include, by kind.
    unselected: dict[str, int] = field(default_factory=dict)
    #: Names of the selection that match no object.
    unmatched_names: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """True if nothing is excluded or skipped, and each name of the selection matches an object."""
        return not (self.excluded_objects or self.skipped or self.unmatched_names)

    @property
    def key_arn_prefix(self) -> str:
        """ARN of a key without its ID."""
        return f"arn:{find_partition(self.region)}:kms:{self.region}:{self.account_id}:key/"

    def list_resources(self) -> Iterator[ImportedResource]:
        """Yield every resource that the configuration imports."""
        for adopted_object in self.adopted_objects:
            yield from adopted_object.resources

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "account_id": self.account_id,
            "region": self.region,
            "adopted": [one.to_dict() for one in self.adopted_objects],
            "excluded": [one.to_dict() for one in self.excluded_objects],
            "skipped": [asdict(one) for one in self.skipped],
            "not_selected": self.unselected,
            "not_found": self.unmatched_names,
        }
