"""Cases of rules/waivers.py."""

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import UNKNOWN, Resources, build_real_time


def waived(value: str, rule: str = "SUS_OFF_HOURS") -> Resources:
    """Return an endpoint with a waiver."""
    return build_real_time(endpoint={"tags": {f"sust_waiver:{rule}": value}})


CASES: CaseTable = {
    "SUS_WAIVER": {
        "pass": {"one that counts": waived("shared with another team until 2999-12-31")},
        "fail": {
            "one that has ended": waived("shared with another team until 2020-12-31"),
            "no date": waived("shared with another team"),
            "no such date": waived("shared with another team until 2999-02-30"),
            "no such rule": waived("shared with another team until 2999-12-31", "SUS_OFFHOURS"),
        },
        "unknown": "a tag that is not known may be anything",
        "not_applicable": {"no waiver": build_real_time(), "a value known after apply": waived(UNKNOWN)},
    },
}
