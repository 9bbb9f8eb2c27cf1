"""What a plan changes: each resource before and after, against its own state or against another plan."""

from functools import cached_property

from sustainable_mlops.plan import Joins, Plan, Resource, pairs
from sustainable_mlops.plan.pairs import ResourcePair
from sustainable_mlops.review.accounts import find_own_accounts

__all__ = ["Comparison", "Pair"]


class Comparison:
    """A plan against its own state or, where there is no state to speak of, against a base plan."""

    def __init__(self, plan: Plan, base: Plan | None = None) -> None:
        """What `base` leads to is the state before; without one, `plan` says what was."""
        self.plan = plan
        self.base = base
        self.pairs: list[ResourcePair] = (
            pairs.pair_with_state(plan) if base is None else pairs.pair_with_base(plan, base)
        )

    @cached_property
    def changes(self) -> list[ResourcePair]:
        """The pairs that the plan does something to."""
        return [pair for pair in self.pairs if pair.action not in ("no-op", "read")]

    @cached_property
    def by_type(self) -> dict[str, list[ResourcePair]]:
        """The pairs of each type."""
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
        """One's own accounts, as far as known."""
        return find_own_accounts(self.plan, self.pairs)

    def pair(self, resource: Resource) -> ResourcePair:
        """The pair that `resource` is a side of."""
        return self._by_resource[id(resource)]

    @property
    def joins_before(self) -> Joins:
        """How resources belonged together before."""
        return self.plan.joins_before if self.base is None else self.base.joins

    @property
    def joins_after(self) -> Joins:
        """How resources belong together after the plan."""
        return self.plan.joins
