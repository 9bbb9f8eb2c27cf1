"""Reader for an adoption: the account, the selection, and labels of resources."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, ExcludedObject, ExclusionError
from sustainable_mlops.account.adopt.fields import read_tags
from sustainable_mlops.account.adopt.secrets import check_texts
from sustainable_mlops.account.adopt.selection import Selection
from sustainable_mlops.account.idle import AccountReader
from sustainable_mlops.account.preflight.account import DeniedError

#: One selected object: its name, and the function that reads it, or returns None for an object of another Region.
Candidate = tuple[str, Callable[[], AdoptedObject | None]]


@dataclass
class Reader:
    """Reader of one account and Region for an adoption. `progress` receives the name of each object."""

    account: AccountReader
    account_id: str
    selection: Selection
    progress: Callable[[str], None] = lambda _: None
    unselected: dict[str, int] = field(default_factory=dict)
    #: Objects whose tags cannot be read, so that their selection is unknown.
    excluded_objects: list[ExcludedObject] = field(default_factory=list)
    #: Numbers of objects that match each name of the selection.
    _matches: Counter[str] = field(default_factory=Counter)
    #: Names of the selection that match each object, by its kind and name.
    _matches_by_object: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _labels: dict[str, str] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """Region of the reads."""
        return self.account.region

    @property
    def unmatched_names(self) -> list[str]:
        """Names of the selection that match no object."""
        return [name for name in self.selection.names if self._matches[name] < 1]

    def check_selection(
        self, kind: str, *names: str, identifiers: Collection[str] = (), tags: Callable[[], Mapping[str, str]]
    ) -> bool:
        """Return whether an object is selected.

        Unselected objects are counted. An object whose tags cannot be read is excluded, and counts as not selected.
        """
        matches = self.selection.list_matches(*names, *identifiers)
        self._matches.update(matches)
        self._matches_by_object[kind, names[0]] = matches
        try:
            selected = self.selection.includes(*names, identifiers=identifiers, read_tags=tags)
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
                    check_texts(adopted_object.resources)
                    yield adopted_object
                else:
                    self._matches.subtract(self._matches_by_object.get((kind, name), []))
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
