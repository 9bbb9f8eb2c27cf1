"""Cases of rules/serving/service_level.py."""

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import (
    BACKLOG,
    UNKNOWN,
    Values,
    add_target,
    add_tracking_policy,
    build_asynchronous,
    build_endpoint,
    build_real_time,
    build_serverless,
)


def build_slo(value: str) -> Values:
    return {"tags": {"latency_slo": value}}


CASES: CaseTable = {
    "SUS_ENDPOINT_FITS_SLO": {
        "pass": {
            "milliseconds by instances": build_real_time(endpoint=build_slo("200ms")),
            "a cold start by serverless": build_serverless(endpoint=build_slo("cold_start")),
            "milliseconds by warm workers": build_serverless(
                serverless_config={"provisioned_concurrency": 1}, endpoint=build_slo("milliseconds")
            ),
            "a cold start by a GPU, which serverless has not": build_real_time(
                variant={"instance_type": "ml.g5.xlarge"}, endpoint=build_slo("5s")
            ),
            "minutes by an asynchronous one": add_target(
                build_asynchronous(endpoint=build_slo("10 minutes")), minimum=0
            ),
            "seconds by an asynchronous one that no policy takes to zero": add_target(
                build_asynchronous(endpoint=build_slo("5s")), minimum=0
            ),
        },
        "fail": {
            "milliseconds by serverless": build_serverless(endpoint=build_slo("200 ms")),
            "seconds by an asynchronous one at zero": add_tracking_policy(
                add_target(build_asynchronous(endpoint=build_slo("2s")), minimum=0), **BACKLOG
            ),
            "a cold start by instances without an accelerator": build_real_time(endpoint=build_slo("5s")),
            "minutes by instances": build_real_time(endpoint=build_slo("minutes")),
            "minutes by instances known after apply": build_real_time(
                variant={"instance_type": UNKNOWN}, endpoint=build_slo("minutes")
            ),
            "a batch by an endpoint": build_serverless(endpoint=build_slo("batch")),
            "a day by an endpoint": build_serverless(endpoint=build_slo("24h")),
        },
        "unknown": {
            "an invalid SLO": build_real_time(endpoint=build_slo("fast")),
            "tags known after apply": build_real_time(endpoint={"tags": UNKNOWN, "tags_all": UNKNOWN}),
            "an SLO known after apply": build_real_time(endpoint={"tags": {"latency_slo": UNKNOWN}}),
            "a cold start by instances known after apply": build_real_time(
                variant={"instance_type": UNKNOWN}, endpoint=build_slo("cold_start")
            ),
            "warm workers known after apply": build_serverless(
                serverless_config={"provisioned_concurrency": UNKNOWN}, endpoint=build_slo("200ms")
            ),
            "a minimum known after apply": add_tracking_policy(
                add_target(build_asynchronous(endpoint=build_slo("5s")), UNKNOWN), **BACKLOG
            ),
            "a kind known after apply": build_endpoint({"serverless_config": UNKNOWN}, endpoint=build_slo("200ms")),
        },
        "not_applicable": {"no SLO": build_real_time(), "no tags": build_real_time(endpoint={"tags_all": UNKNOWN})},
    }
}
