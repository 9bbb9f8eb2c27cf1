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
from sustainable_mlops.review import files
from sustainable_mlops.review.risk import RISK_TITLES, Risk, Section

_KEYS = {"address", "risk", "reason", "until"}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody accepts a risk."""

    address: str
    risk: str
    reason: str
    until: date

    def fits(self, risk: Risk) -> bool:
        """Whether it is about `risk`."""
        return self.risk in (risk.id, risk.section) and files.pattern(self.address).fullmatch(risk.address) is not None


def read_accepted(path: Path) -> list[Acceptance]:
    """The acceptances in a file. Raises UserError naming the place of anything that cannot be used."""
    return [_acceptance(entry, place) for entry, place in files.entries(path, "accepted")]


def _acceptance(entry: dict[str, object], place: str) -> Acceptance:
    files.only(entry, _KEYS, place)
    address, risk, reason = (
        files.text(entry, key, place, required=True) or "" for key in ("address", "risk", "reason")
    )
    until = entry.get("until")
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until)
        except ValueError:
            until = None
    if not isinstance(until, date) or isinstance(until, datetime):
        raise UserError(f"{place}.until: must be a date such as 2026-12-31, without a time")
    if risk not in {*RISK_TITLES, *Section}:
        raise UserError(f"{place}.risk: must be a risk's id as reports show it, or {' or '.join(Section)}, not {risk}")
    return Acceptance(address, risk, reason, until)
