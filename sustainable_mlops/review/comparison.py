"""The comparison of a plan with its own state, or with another plan."""

from functools import cached_property

from sustainable_mlops.plan import UNKNOWN, Joins, Plan, Resource, resource_pairs
from sustainable_mlops.plan.resource_pairs import ResourcePair
from sustainable_mlops.review.accounts import find_own_accounts

__all__ = ["Comparison", "ResourcePair"]


class Comparison:
    """A plan and its state before: its own state or a base plan."""

    def __init__(self, plan: Plan, base: Plan | None = None) -> None:
        """Pair the resources of `plan` and of `base`, or of the state in `plan` if there is no base."""
        self.plan = plan
        self.base = base
        self.pairs: list[ResourcePair] = (
            resource_pairs.pair_with_state(plan) if base is None else resource_pairs.pair_with_base(plan, base)
        )

    @cached_property
    def changes(self) -> list[ResourcePair]:
        """The pairs that the plan changes."""
        return [pair for pair in self.pairs if pair.action not in ("no-op", "read")]

    @cached_property
    def by_type(self) -> dict[str, list[ResourcePair]]:
        """The pairs of each resource type."""
        pairs_by_type: dict[str, list[ResourcePair]] = {}
        for pair in self.pairs:
            pairs_by_type.setdefault(pair.type, []).append(pair)
        return pairs_by_type

    @cached_property
    def _by_resource(self) -> dict[int, ResourcePair]:
        pairs_by_id = {id(pair.old): pair for pair in self.pairs if pair.old is not None}
        return pairs_by_id | {id(pair.new): pair for pair in self.pairs if pair.new is not None}

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The account IDs that belong to the owner of the plan, as far as known."""
        return find_own_accounts(self.plan, self.pairs)

    def pair(self, resource: Resource) -> ResourcePair:
        """Return the pair that `resource` belongs to."""
        return self._by_resource[id(resource)]

    @property
    def joins_before(self) -> Joins:
        """The relations between resources before the plan."""
        return self.plan.joins_before if self.base is None else self.base.joins

    @property
    def joins_after(self) -> Joins:
        """The relations between resources after the plan."""
        return self.plan.joins

    def names_new_resource(self, pair: ResourcePair, attribute: str, kind: str, *, if_unknown: bool = False) -> bool:
        """Return whether `attribute` refers to a resource of type `kind` that the plan creates.

        `if_unknown` is the result for a name that is unknown until apply. Exception: False if a data source may find
        an existing resource.
        """
        target = None if pair.new is None else self.joins_after.find_target(pair.new, attribute, kind)
        if isinstance(target, Resource):
            return self.pair(target).is_new
        is_unknown = pair.after is not None and pair.after.text(attribute) is UNKNOWN
        return if_unknown and is_unknown and not self.reads_existing_resource(pair, attribute)

    def reads_existing_resource(self, pair: ResourcePair, attribute: str) -> bool:
        """Return whether the value of `attribute` is unknown and comes from a data source of an existing resource.

        Apply reads the data source, for example because of its `depends_on`.
        """
        if pair.new is None or pair.after is None or pair.after.text(attribute) is not UNKNOWN:
            return False
        sources = self.joins_after.find_references(pair.new, attribute).resources
        pending = (source for source in sources if source.mode == "data" and source.action == "read")
        return not all(map(self._depends_on_new_resource, pending))

    def _depends_on_new_resource(self, source: Resource) -> bool:
        """Return whether the arguments of a data source refer to a resource that the plan creates."""
        resources = self.plan.find_references(source).resources
        return any(resource.mode == "managed" and self.pair(resource).is_new for resource in resources)
