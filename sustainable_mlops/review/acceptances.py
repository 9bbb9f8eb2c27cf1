"""The file of accepted risks: what somebody looked at and wants, with the reason, for a while.

accepted:
  - address: module.storage.aws_s3_bucket.this["scratch"]   # * stands for anything
    risk: DATA_DELETED                                       # or data, privileges: all of that section
    reason: The scratch bucket is empty since the move to artifacts.
    until: 2026-12-31
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sustainable_mlops.errors import UserError
from sustainable_mlops.review import input_files
from sustainable_mlops.review.risk import RISK_TITLES, Risk, RiskArea

_KEYS = {"address", "risk", "reason", "until"}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody accepts a risk."""

    address: str
    risk: str
    reason: str
    until: date

    def covers(self, risk: Risk) -> bool:
        """Whether it is about `risk`."""
        return (
            self.risk in (risk.id, risk.area)
            and input_files.compile_address_pattern(self.address).fullmatch(risk.address) is not None
        )


def read_acceptances(path: Path) -> list[Acceptance]:
    """The acceptances in a file. Raises UserError naming the place of anything that cannot be used."""
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
        raise UserError(f"{location}.risk: must be a risk's id as reports show it, or {' or '.join(RiskArea)}, not {risk}")
    return Acceptance(address, risk, reason, until)
