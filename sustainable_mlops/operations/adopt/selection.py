"""Selection of the objects that an adoption reads: by prefix, tag or name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sustainable_mlops.errors import UserError


@dataclass(frozen=True)
class Selection:
    """Objects to adopt: those that match a prefix, all of `tags`, or a name; or everything."""

    prefixes: tuple[str, ...] = ()
    tags: Mapping[str, str] | None = None
    names: tuple[str, ...] = ()
    everything: bool = False

    def includes(self, *names: str, read_tags: Callable[[], Mapping[str, str]]) -> bool:
        """Return True if the selection includes an object with these names. Reads its tags only if they decide."""
        if self.everything or any(name in self.names for name in names):
            return True
        # A log group such as /aws/sagemaker/Endpoints/acme-churn matches the prefix acme.
        parts = [part for name in names for part in name.split("/") if part]
        if any(part.startswith(self.prefixes) for part in parts):
            return True
        return bool(self.tags) and self.tags.items() <= read_tags().items() if self.tags else False


def parse_selection(prefixes: list[str], tags: list[str], names: list[str], *, everything: bool) -> Selection:
    """Return the selection of a command line. Raises UserError for an invalid or an empty one."""
    for tag in tags:
        if not tag.partition("=")[0] or "=" not in tag:
            raise UserError(f"--tag {tag}: must be KEY=VALUE, such as --tag team=ml")
    if "" in prefixes:
        raise UserError("--prefix: must not be empty; use --all for every resource of the Region")
    if not (prefixes or tags or names or everything):
        raise UserError("pass --prefix, --tag or --name to select resources, or --all for every resource of the Region")
    pairs = dict(tag.split("=", 1) for tag in tags)
    return Selection(tuple(prefixes), pairs or None, tuple(names), everything)
