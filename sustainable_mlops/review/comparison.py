"""What a plan changes: each resource before and after, against its own state or against another plan."""

from functools import cached_property

from sustainable_mlops.plan import Joins, Plan, Resource, pairs
from sustainable_mlops.plan.pairs import Pair
from sustainable_mlops.review.accounts import own_accounts

__all__ = ["Comparison", "Pair"]


class Comparison:
    """A plan against its own state or, where there is no state to speak of, against a base plan."""

    def __init__(self, plan: Plan, base: Plan | None = None) -> None:
        """What `base` leads to is the state before; without one, `plan` says what was."""
        self.plan = plan
        self.base = base
        self.pairs: list[Pair] = pairs.of_plan(plan) if base is None else pairs.of_plans(plan, base)

    @cached_property
    def changes(self) -> list[Pair]:
        """The pairs that the plan does something to."""
        return [pair for pair in self.pairs if pair.action not in ("no-op", "read")]

    @cached_property
    def by_type(self) -> dict[str, list[Pair]]:
        """The pairs of each type."""
        found: dict[str, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(pair.type, []).append(pair)
        return found

    @cached_property
    def _by_resource(self) -> dict[int, Pair]:
        found = {id(pair.old): pair for pair in self.pairs if pair.old is not None}
        return found | {id(pair.new): pair for pair in self.pairs if pair.new is not None}

    @cached_property
    def accounts(self) -> frozenset[str]:
        """One's own accounts, as far as known."""
        return own_accounts(self.plan, self.pairs)

    def pair(self, resource: Resource) -> Pair:
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
