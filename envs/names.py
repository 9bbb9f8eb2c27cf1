"""Names of resources, checked against the limits of each service."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from sustainable_mlops.authoring.author_errors import find_author_location, make_author_error
from sustainable_mlops.catalogue.limits import get_limit

#: Kinds of resources with names. The catalogue has the limit of each.
NameKind = Literal["bucket", "endpoint", "feature_group", "log_group", "model_package_group", "parameter", "pipeline"]
_DIGEST = 8


@dataclass(frozen=True)
class EnvironmentName:
    """Name in an account and Region, with its source in settings.yaml."""

    kind: NameKind
    source: str
    text: str

    def __post_init__(self) -> None:
        if self.kind not in get_args(NameKind):
            raise make_author_error(
                f"unknown kind of name '{self.kind}': add {self.kind}_name_characters to limits.csv, and the kind to "
                "NameKind in envs/names.py",
                find_author_location(skip_file=__file__),
            )


def get_max_length(kind: NameKind) -> int:
    """Return the maximum length of a name of this kind."""
    return get_limit(f"{kind}_name_characters")


def join_parts(*parts: str) -> str:
    """Join parts to a name, with hyphens between them and instead of underscores."""
    return "-".join(parts).replace("_", "-")


def shorten_name(kind: NameKind, text: str) -> str:
    """Return `text`; if it is too long, return its start with a hash of the whole text."""
    maximum = get_max_length(kind)
    if len(text) <= maximum:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{text[: maximum - _DIGEST - 1].rstrip('-')}-{digest}"


def find_problems(names: Iterable[EnvironmentName]) -> Iterator[str]:
    """Yield one line for each name that is too long or used twice."""
    owners: dict[tuple[NameKind, str], EnvironmentName] = {}
    for name in names:
        label, maximum = name.kind.replace("_", " "), get_max_length(name.kind)
        if len(name.text) > maximum:
            yield (
                f"{name.source}: its {label} would be named '{name.text}', {len(name.text)} characters of at most "
                f"{maximum}; shorten the key or name_prefix"
            )
        other = owners.setdefault((name.kind, name.text), name)
        if other is not name:
            yield f"{name.source} and {other.source}: the {label} of both would be named '{name.text}'; rename one"
