"""The check that a plan changes nothing outside the scope of `--only`."""

import re
from collections.abc import Iterable, Sequence

#: Pattern that matches no address.
NOTHING = "nothing"
_MAX_NAMED = 5
#: Start of a pattern for one plan, such as `dev:`.
_PLAN_NAME = re.compile(r"(?P<name>[^.:\[\]*\"]+):(?P<address>.*)", re.S)


def select_scope(allowed: Sequence[str], plan: str) -> tuple[str, ...]:
    """Return the patterns in `allowed` for a plan, or `nothing` if all of them are for other plans.

    `dev:module.x` is a pattern for the plan `dev`. A pattern without a name is for all plans.
    """
    names = [
        (match["name"], match["address"]) if (match := _PLAN_NAME.fullmatch(one)) else (plan, one) for one in allowed
    ]
    own = tuple(address for name, address in names if name == plan)
    return own or ((NOTHING,) if allowed else ())


def list_unknown_plans(allowed: Iterable[str], plans: Iterable[str]) -> list[str]:
    """Return the names of plans in patterns that are not in `plans`."""
    names = [match["name"] for one in allowed if (match := _PLAN_NAME.fullmatch(one))]
    return sorted(set(names) - set(plans))


def list_out_of_scope(allowed: Sequence[str], addresses: Iterable[str]) -> list[str]:
    """Return the distinct addresses that match none of the patterns in `allowed`.

    `*` matches any text within one part of an address; dots separate the parts. A pattern that matches the first parts
    matches everything below: `module.*_endpoint*` covers the content of such a module, but not
    `module.net.aws_vpc_endpoint.z`.
    """
    patterns = [_compile_scope_pattern(address) for address in allowed]
    return [
        address for address in dict.fromkeys(addresses) if not any(pattern.fullmatch(address) for pattern in patterns)
    ]


def _compile_scope_pattern(allowed: str) -> re.Pattern[str]:
    """Return the compiled pattern. An index may contain dots: it belongs to its part of the address."""
    step = r'(?:[^.\["]|\["(?:[^"\\]|\\.)*"\]|\[\d+\])*'
    return re.compile(rf"{step.join(map(re.escape, allowed.split('*')))}(?:\[[^\]]*\])?(?:\..*)?", re.S)


def summarize_addresses(addresses: Sequence[str]) -> str:
    """Return the first addresses and the number of the others."""
    omitted_count = len(addresses) - _MAX_NAMED
    return f"{', '.join(addresses[:_MAX_NAMED])}{f' and {omitted_count} more' if omitted_count > 0 else ''}"
