"""Names, composed where every key is known, and held to what each service takes."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from sustainable_mlops.authoring.author_errors import author_error, current_location
from sustainable_mlops.catalogue.limits import get_limit

#: What is named; the catalogue has the limit of each.
NameKind = Literal["bucket", "endpoint", "feature_group", "log_group", "model_package_group", "parameter", "pipeline"]
_DIGEST = 8


@dataclass(frozen=True)
class EnvironmentName:
    """A name in an account and Region, and where in settings.yaml it comes from."""

    kind: NameKind
    source: str
    text: str

    def __post_init__(self) -> None:
        if self.kind not in get_args(NameKind):
            raise author_error(
                f"there is no kind of name '{self.kind}': give limits.csv its {self.kind}_name_characters, and "
                "Kind in envs/names.py the word",
                current_location(skip_file=__file__),
            )


def longest_name(kind: NameKind) -> int:
    """Most characters of a name of this kind."""
    return get_limit(f"{kind}_name_characters")


def join_parts(*parts: str) -> str:
    """Parts as one name: hyphens between them, and for underscores."""
    return "-".join(parts).replace("_", "-")


def shorten_name(kind: NameKind, text: str) -> str:
    """`text`, or where it is too long its start and a hash of the whole, which tells it from others with that start."""
    maximum = longest_name(kind)
    if len(text) <= maximum:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{text[: maximum - _DIGEST - 1].rstrip('-')}-{digest}"


def find_problems(names: Iterable[EnvironmentName]) -> Iterator[str]:
    """What is wrong with names that are to exist side by side, each in one line."""
    owners: dict[tuple[NameKind, str], EnvironmentName] = {}
    for name in names:
        label, maximum = name.kind.replace("_", " "), longest_name(name.kind)
        if len(name.text) > maximum:
            yield (
                f"{name.source}: its {label} would be named '{name.text}', {len(name.text)} characters of at most "
                f"{maximum}; shorten the key or name_prefix"
            )
        other = owners.setdefault((name.kind, name.text), name)
        if other is not name:
            yield f"{name.source} and {other.source}: the {label} of both would be named '{name.text}'; rename one"
