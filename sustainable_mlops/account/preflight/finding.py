"""Finding of a preflight check: its status, a text and the command that fixes it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

#: `look` needs a review, `stop` makes the first apply fail.
Status = Literal["ok", "look", "stop"]


@dataclass(frozen=True)
class PreflightFinding:
    """The result of one check."""

    status: Status
    check: str
    text: str
    #: A command to paste; empty if there is none.
    remedy: str = ""
    #: The IAM action that was denied, that leaves the result unknown.
    missing_action: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        return asdict(self)


def build_unknown_finding(check: str, reason: str, missing_action: str = "") -> PreflightFinding:
    """Return the finding of a check whose read was denied or failed; it is never ok."""
    needs = f"; allow {missing_action} (envs/<name>/deployer has the policies)" if missing_action else ""
    return PreflightFinding("look", check, f"unknown: {reason}{needs}", missing_action=missing_action)
