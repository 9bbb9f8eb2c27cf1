"""Reads of an adoption: the account, the selection, and labels of resources."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sustainable_mlops.operations.adopt.adoption import AdoptedObject, ExcludedObject, ExclusionError
from sustainable_mlops.operations.adopt.fields import read_tags
from sustainable_mlops.operations.adopt.selection import Selection
from sustainable_mlops.operations.idle import IdleAccount
from sustainable_mlops.operations.preflight.account import DeniedError

#: One selected object: its name, and the function that reads it, or returns None for an object of another Region.
Candidate = tuple[str, Callable[[], AdoptedObject | None]]


@dataclass
class Reader:
    """Reads of one account and Region for an adoption. `progress` receives the name of each object."""

    account: IdleAccount
    account_id: str
    selection: Selection
    progress: Callable[[str], None] = lambda _: None
    unselected: dict[str, int] = field(default_factory=dict)
    #: Objects whose tags cannot be read, so that their selection is unknown.
    excluded_objects: list[ExcludedObject] = field(default_factory=list)
    _labels: dict[str, str] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """Region of the reads."""
        return self.account.region

    def selects(self, kind: str, *names: str, tags: Callable[[], Mapping[str, str]]) -> bool:
        """Return True if an object is selected; count it otherwise."""
        try:
            selected = self.selection.includes(*names, read_tags=tags)
        except DeniedError as error:
            self.excluded_objects.append(ExcludedObject(kind, names[0], _describe_denial(error)))
            return False
        if not selected:
            self.unselected[kind] = self.unselected.get(kind, 0) + 1
        return selected

    def read_each(self, kind: str, candidates: Iterable[Candidate]) -> Iterator[AdoptedObject | ExcludedObject]:
        """Yield each object, or the excluded object with the reason."""
        for name, read in candidates:
            self.progress(f"{kind} {name}")
            try:
                if adopted_object := read():
                    yield adopted_object
            except ExclusionError as error:
                yield ExcludedObject(kind, name, str(error))
            except DeniedError as error:
                yield ExcludedObject(kind, name, _describe_denial(error))

    def choose_label(self, resource_type: str, name: str) -> str:
        """Return the label of a resource, from its name; the same name gets the same label."""
        text = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "this"
        base = label = f"r_{text}" if text[0].isdigit() else text
        number = 2
        while self._labels.setdefault(f"{resource_type}.{label}", name) != name:
            label, number = f"{base}_{number}", number + 1
        return label

    def read_sagemaker_tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a SageMaker resource."""
        return read_tags(self.account.list_all("sagemaker", "list_tags", "Tags", ResourceArn=arn))

    def describe(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Return a SageMaker description without its metadata."""
        response = self.account.call("sagemaker", operation, **arguments)
        return {member: value for member, value in response.items() if member != "ResponseMetadata"}


def _describe_denial(error: DeniedError) -> str:
    remedy = f"; allow {error.action} and run again" if error.action else ""
    return f"{error.reason}{remedy}"
