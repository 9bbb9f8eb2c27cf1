"""Names, composed where every key is known, and held to what each service takes."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from sustainable_mlops.authoring.mistakes import mistake, place
from sustainable_mlops.catalogue.limits import limit

#: What is named; the catalogue has the limit of each.
Kind = Literal["bucket", "endpoint", "feature_group", "log_group", "model_package_group", "parameter", "pipeline"]
_DIGEST = 8


@dataclass(frozen=True)
class Name:
    """A name in an account and Region, and where in settings.yaml it comes from."""

    kind: Kind
    source: str
    text: str

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise mistake(
                f"there is no kind of name '{self.kind}': give limits.csv its {self.kind}_name_characters, and "
                "Kind in envs/names.py the word",
                place(beyond=__file__),
            )


def longest(kind: Kind) -> int:
    """Most characters of a name of this kind."""
    return limit(f"{kind}_name_characters")


def joined(*parts: str) -> str:
    """Parts as one name: hyphens between them, and for underscores."""
    return "-".join(parts).replace("_", "-")


def cut(kind: Kind, text: str) -> str:
    """`text`, or where it is too long its start and a hash of the whole, which tells it from others with that start."""
    most = longest(kind)
    if len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{text[: most - _DIGEST - 1].rstrip('-')}-{digest}"


def problems(names: Iterable[Name]) -> Iterator[str]:
    """What is wrong with names that are to exist side by side, each in one line."""
    taken: dict[tuple[Kind, str], Name] = {}
    for name in names:
        what, most = name.kind.replace("_", " "), longest(name.kind)
        if len(name.text) > most:
            yield (
                f"{name.source}: its {what} would be named '{name.text}', {len(name.text)} characters of at most "
                f"{most}; shorten the key or name_prefix"
            )
        other = taken.setdefault((name.kind, name.text), name)
        if other is not name:
            yield f"{name.source} and {other.source}: the {what} of both would be named '{name.text}'; rename one"
