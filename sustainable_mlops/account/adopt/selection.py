"""Selection of the objects that an adoption reads: by prefix, tag or name."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sustainable_mlops.base.errors import UserError


@dataclass(frozen=True)
class Selection:
    """Objects to adopt: those that match a prefix, all of `tags`, or a name; or everything."""

    prefixes: tuple[str, ...] = ()
    tags: Mapping[str, str] | None = None
    names: tuple[str, ...] = ()
    everything: bool = False

    def includes(
        self, *names: str, identifiers: Collection[str] = (), read_tags: Callable[[], Mapping[str, str]]
    ) -> bool:
        """Return whether the selection includes an object with these names. Reads its tags only if they decide.

        A prefix matches names only. `identifiers`, such as the ARN, match `names` of the selection.
        """
        if self.everything or self.list_matches(*names, *identifiers):
            return True
        # A log group such as /aws/sagemaker/Endpoints/acme-churn matches the prefix acme.
        parts = [part for name in names for part in (name, *name.split("/"))]
        if any(part.startswith(self.prefixes) for part in parts):
            return True
        return bool(self.tags) and self.tags.items() <= read_tags().items() if self.tags else False

    def list_matches(self, *names: str) -> list[str]:
        """Return the names of the selection that are among `names`."""
        return [name for name in self.names if name in names]


def parse_selection(prefixes: list[str], tags: list[str], names: list[str], *, everything: bool) -> Selection:
    """Return the selection of a command line. Raises UserError for an invalid or an empty one."""
    for tag in tags:
        if not tag.partition("=")[0] or "=" not in tag:
            raise UserError(f"--tag {tag}: must be KEY=VALUE, such as --tag team=ml")
    if "" in prefixes:
        raise UserError("--prefix: must not be empty; use --all for every resource of the Region")
    if not (prefixes or tags or names or everything):
        raise UserError("pass --prefix, --tag or --name to select resources, or --all for every resource of the Region")
    return Selection(tuple(prefixes), _parse_tags(tags) or None, tuple(names), everything)


def _parse_tags(tags: list[str]) -> dict[str, str]:
    """Return tags by key. Raises UserError if a key has two values."""
    pairs: dict[str, str] = {}
    for tag in tags:
        key, _, value = tag.partition("=")
        if pairs.setdefault(key, value) != value:
            raise UserError(
                f"--tag {tag}: {key} already has the value {pairs[key]}, and a resource must have all tags; "
                "run the command once for each value"
            )
    return pairs
