"""Cases of rules/waivers.py."""

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import UNKNOWN, Resources, build_real_time


def build_waived(value: str, rule: str = "SUS_OFF_HOURS") -> Resources:
    """Return an endpoint with a waiver."""
    return build_real_time(endpoint={"tags": {f"sust_waiver:{rule}": value}})


CASES: CaseTable = {
    "SUS_WAIVER": {
        "pass": {"a valid waiver": build_waived("shared with another team until 2999-12-31")},
        "fail": {
            "an expired waiver": build_waived("shared with another team until 2020-12-31"),
            "no date": build_waived("shared with another team"),
            "an invalid date": build_waived("shared with another team until 2999-02-30"),
            "an unknown rule": build_waived("shared with another team until 2999-12-31", "SUS_OFFHOURS"),
        },
        "unknown": "an unknown tag may be anything",
        "not_applicable": {"no waiver": build_real_time(), "a value known after apply": build_waived(UNKNOWN)},
    }
}
