"""Comparison of ECR lifecycle policies: rules that newly delete images, or delete them earlier.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from sustainable_mlops.base.wording import format_number_of
from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.review.risk import Level


class ImageExpiry(NamedTuple):
    """A rule that deletes images with a tag status and `tags` when `count_type` exceeds `number`."""

    tag_status: str
    tags: frozenset[str]
    count_type: str
    number: float

    @property
    def level(self) -> Level:
        """The level of the expiry. An untagged image lost its tag to another image, so its loss is less serious."""
        return Level.LOOK if self.tag_status == "untagged" else Level.STOP

    def covers(self, other: "ImageExpiry") -> bool:
        """Return whether this rule deletes all images of `other` at least as early."""
        same = (self.tag_status, self.tags) == (other.tag_status, other.tags)
        return (
            self.count_type == other.count_type and self.number <= other.number and (same or self.tag_status == "any")
        )

    def describe(self) -> str:
        """Return the deletion as a finding."""
        return f"new expiry: {self}"

    def __str__(self) -> str:
        which = {"any": "images", "untagged": "untagged images"}.get(
            self.tag_status, f"images tagged {', '.join(sorted(self.tags))}"
        )
        if self.count_type == "imageCountMoreThan":
            return f"{which} are deleted except the newest {self.number:g}"
        return f"{which} are deleted after {format_number_of(self.number, 'day')} ({self.count_type})"


def find_new_image_expiries(before: Block | None, after: Block) -> Iterator[ImageExpiry | None]:
    """Yield the expiries that only `after` has, or None for an expiry that is unknown."""
    old = [] if before is None else [expiry for expiry in _list_expiries(before) if expiry]
    for expiry in _list_expiries(after):
        if expiry is None or not any(old_expiry.covers(expiry) for old_expiry in old):
            yield expiry


def _list_expiries(values: Block) -> Iterator[ImageExpiry | None]:
    text = values.text("policy")
    if text is None:
        return
    try:
        rules = UNKNOWN if text is UNKNOWN else Block(json.loads(text)).blocks("rules")
    except (ValueError, RecursionError):
        rules = UNKNOWN
    yield from [None] if rules is UNKNOWN else map(_parse_rule, rules)


def _parse_rule(rule: Block) -> ImageExpiry | None:
    status, count_type = rule.text("selection.tagStatus"), rule.text("selection.countType")
    count = rule.number("selection.countNumber")
    tags = [*_list_texts(rule, "selection.tagPrefixList", "*"), *_list_texts(rule, "selection.tagPatternList", "")]
    if not isinstance(status, str) or not isinstance(count_type, str) or not isinstance(count, int | float):
        return None
    return None if UNKNOWN in tags else ImageExpiry(status, frozenset(map(str, tags)), count_type, count)


def _list_texts(rule: Block, path: str, end: str) -> list[Any]:
    texts = rule.texts(path)
    return [UNKNOWN] if texts is UNKNOWN else [text if text is UNKNOWN else f"{text}{end}" for text in texts]
