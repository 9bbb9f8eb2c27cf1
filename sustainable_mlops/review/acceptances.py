"""Reader of the file of accepted risks.

accepted:
  - address: module.storage.aws_s3_bucket.this["scratch"]   # * matches any text
    risk: DATA_DELETED                                       # or an area, data or privileges: all its risks
    reason: The scratch bucket is empty since the move to artifacts.
    until: 2026-12-31
    plan: dev                                                # optional: name of the only plan that it applies to
"""

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.review import input_files
from sustainable_mlops.review.risk import RISK_TITLES, Risk, RiskArea

_KEYS = {"address", "risk", "reason", "until", "plan"}
_QUOTE = "'"
#: Period of an entry that a report proposes.
_PERIOD = timedelta(days=90)


class Acceptance(NamedTuple):
    """An accepted risk, with a reason and an expiry date."""

    address: str
    risk: str
    reason: str
    until: date
    #: Name of the plan; None for all plans.
    plan: str | None = None

    def covers(self, risk: Risk, plan: str) -> bool:
        """Return whether the acceptance applies to a risk of the plan with the name `plan`."""
        return (
            self.plan in (None, plan)
            and self.risk in (risk.id, risk.area)
            and input_files.compile_address_pattern(self.address).fullmatch(risk.address) is not None
        )


def format_entries(risks: Iterable[Risk]) -> list[str]:
    """Return the lines of a file that accepts the risks, complete but for the reasons."""
    until, lines = date.today() + _PERIOD, ["accepted:"]
    for address, risk in dict.fromkeys((risk.address, risk.id) for risk in risks):
        quoted = f"'{address.replace(_QUOTE, _QUOTE * 2)}'" if address.isprintable() else json.dumps(address)
        lines += [f"  - address: {quoted}", f"    risk: {risk}", "    reason: # why is this intended?"]
        lines.append(f"    until: {until}")
    return lines if len(lines) > 1 else []


def read_acceptances(path: Path) -> list[Acceptance]:
    """Return the acceptances in a file. Raises UserError with the location of an invalid entry."""
    return [_parse_acceptance(entry, location) for entry, location in input_files.read_entries(path, "accepted")]


def _parse_acceptance(entry: dict[str, object], location: str) -> Acceptance:
    input_files.check_keys(entry, _KEYS, location)
    address, risk, reason = (
        input_files.get_text(entry, key, location, required=True) or "" for key in ("address", "risk", "reason")
    )
    until = entry.get("until")
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until)
        except ValueError:
            until = None
    if not isinstance(until, date) or isinstance(until, datetime):
        raise UserError(f"{location}.until: must be a date such as 2026-12-31, without a time")
    if risk not in {*RISK_TITLES, *RiskArea}:
        raise UserError(
            f"{location}.risk: must be the ID of a risk, as reports show it, or {' or '.join(RiskArea)}, not {risk}"
        )
    return Acceptance(address, risk, reason, until, input_files.get_text(entry, "plan", location))
