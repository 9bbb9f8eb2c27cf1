"""Data at risk: what a plan deletes, replaces or protects less than before."""

from collections.abc import Iterator

from sustainable_mlops.plan import Block, Resource
from sustainable_mlops.review.comparison import Comparison, Pair
from sustainable_mlops.review.lifecycle import new_expiries
from sustainable_mlops.review.risk import Level, Risk, Section
from sustainable_mlops.review.stores import STORES, Store
from sustainable_mlops.review.weaker import GUARDS_BY_TYPE, PROTECTING, Guard, answer

#: The name of the resources by which this project's modules guard what they protect with `prevent_destroy`.
_GUARD = ("terraform_data", "deletion_protection")
_KEEP = "Keep it (a `moved` block for another address, `ignore_changes` for drift), or back it up and accept the risk."
_LIFECYCLES = ("aws_s3_bucket_lifecycle_configuration", "aws_s3_bucket")


def data_at_risk(comparison: Comparison) -> Iterator[Risk]:
    """What may be lost, and what may be lost later as less protects it."""
    for pair in comparison.changes:
        if pair.type in STORES:
            yield from _store(pair, STORES[pair.type])
        if (pair.type, pair.resource.name) == _GUARD:
            yield from _guard_gone(pair)
        if pair.type in PROTECTING:
            yield from _protection_gone(pair, comparison)
        if pair.type in _LIFECYCLES:
            yield from _expiring(pair, comparison)
        if pair.stays and pair.before is not None and pair.after is not None:
            for guard in GUARDS_BY_TYPE.get(pair.type, ()):
                yield from _weaker(pair, guard, pair.before, pair.after)


def _store(pair: Pair, store: Store) -> Iterator[Risk]:
    if pair.action not in ("delete", "replace", "forget") or pair.before is None:
        return
    note = f"; {store.note}" if store.note else ""
    if "delete" not in pair.resource.actions and pair.new is not None:
        what = f"no longer managed; {store.holds} stay, but nothing here protects them any more"
        yield Risk("DATA_FORGOTTEN", Section.DATA, Level.LOOK, pair.address, what)
        return
    if pair.action == "replace":
        because = ", ".join(pair.resource.replaced_because) or pair.resource.reason or "its configuration changes"
        what = f"replaced (because of {because}): {store.holds} will be deleted{note}"
        yield Risk("DATA_REPLACED", Section.DATA, store.level, pair.address, what + _settings(pair), _KEEP)
    else:
        old = " (an old object that a replacement left)" if pair.resource.deposed else ""
        what = f"deleted{old}: {store.holds} will be gone{note}"
        yield Risk("DATA_DELETED", Section.DATA, store.level, pair.address, what + _settings(pair), _KEEP)


def _settings(pair: Pair) -> str:
    """What the settings before say of a destroy."""
    found = []
    for name in ("force_destroy", "force_delete", "skip_final_snapshot", "deletion_window_in_days"):
        value = pair.before.get(name) if pair.before is not None else None
        if isinstance(value, bool | int):
            found.append(f"{name} is {str(value).lower()}")
    return f" ({', '.join(found)})" if found else ""


def _guard_gone(pair: Pair) -> Iterator[Risk]:
    if pair.action in ("delete", "replace", "forget") and pair.before is not None:
        kept = pair.before.text("triggers_replace")
        what = f"the deletion guard over {kept if isinstance(kept, str) else 'what it protects'} goes away"
        fix = "Keep deletion_protection on, or accept the risk."
        yield Risk("DATA_GUARD_REMOVED", Section.DATA, Level.STOP, pair.address, what, fix)


def _protection_gone(pair: Pair, comparison: Comparison) -> Iterator[Risk]:
    if pair.action not in ("delete", "forget") or pair.old is None:
        return
    bucket = comparison.joins_before.bucket(pair.old, "bucket")
    if isinstance(bucket, Resource) and comparison.pair(bucket).after is None:
        return  # goes with its bucket, which is told of
    if pair.action == "forget" or pair.type in _others_protecting(bucket, pair, comparison):
        return
    section, what = PROTECTING[pair.type]
    level = Level.LOOK if pair.type.endswith(("ownership_controls", "encryption_configuration")) else Level.STOP
    name = "DATA_WEAKER" if section is Section.DATA else "PRIVILEGES_EXPOSED"
    yield Risk(name, section, level, pair.address, what, "Keep it, or accept the risk.")


def _others_protecting(bucket: object, pair: Pair, comparison: Comparison) -> set[str]:
    """The type of `pair` where another resource of it takes its place."""
    if not isinstance(bucket, Resource):
        return set()
    new = comparison.pair(bucket).new
    others = comparison.joins_after.of_bucket(new, pair.type).sure if new is not None else ()
    return {other.type for other in others}


def _expiring(pair: Pair, comparison: Comparison) -> Iterator[Risk]:
    if pair.after is None or pair.new is None or (pair.type == "aws_s3_bucket" and not pair.stays):
        return
    before = pair.before
    if pair.type != "aws_s3_bucket":
        bucket = comparison.joins_after.bucket(pair.new, "bucket")
        if isinstance(bucket, Resource) and not comparison.pair(bucket).stays:
            return  # nothing is in it yet
        before = before or _former(bucket, pair, comparison)
    for expiry in new_expiries(before, pair.after):
        if expiry is None:
            what = "the lifecycle rules are known only after apply: cannot tell what they delete"
            yield Risk("DATA_UNKNOWN", Section.DATA, Level.LOOK, pair.address, what, known=False)
        else:
            level = Level.LOOK if expiry.noncurrent else Level.STOP
            fix = "Check that nothing there is still needed, then accept the risk."
            yield Risk("DATA_EXPIRES", Section.DATA, level, pair.address, f"newly, {expiry}", fix)


def _former(bucket: object, pair: Pair, comparison: Comparison) -> Block | None:
    """The rules that another resource had for the same bucket."""
    old = comparison.pair(bucket).old if isinstance(bucket, Resource) else None
    found = comparison.joins_before.of_bucket(old, pair.type).sure if old is not None else ()
    return comparison.pair(found[0]).before if found else None


def _weaker(pair: Pair, guard: Guard, before: Block, after: Block) -> Iterator[Risk]:
    found = answer(guard, before.get(guard.path), after.get(guard.path))
    prefix = "DATA" if guard.section is Section.DATA else "PRIVILEGES"
    if found:
        change = f"{guard.path}: {_shown(before, guard)} → {_shown(after, guard)}"
        name = "DATA_WEAKER" if guard.section is Section.DATA else "PRIVILEGES_EXPOSED"
        fix = "Leave it as it was, or accept the risk."
        yield Risk(name, guard.section, guard.level, pair.address, f"{change}: {guard.what}", fix)
    elif found is None:
        what = f"{guard.path} is known only after apply, or hidden: cannot tell whether {guard.what}"
        yield Risk(f"{prefix}_UNKNOWN", guard.section, Level.LOOK, pair.address, what, known=False)


def _shown(values: Block, guard: Guard) -> str:
    value = values.get(guard.path, guard.default)
    return str(value).lower() if isinstance(value, bool) else "not set" if value is None else str(value)
