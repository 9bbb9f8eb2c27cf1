"""Cases of rules/serving/service_level.py."""

from tests.rules.case_tables import Table
from tests.rules.endpoints import (
    BACKLOG,
    UNKNOWN,
    Values,
    asynchronous,
    endpoint_of,
    following,
    real_time,
    scaled,
    serverless,
)


def slo(value: str) -> Values:
    return {"tags": {"latency_slo": value}}


CASES: Table = {
    "SUS_ENDPOINT_FITS_SLO": {
        "pass": {
            "milliseconds by instances": real_time(endpoint=slo("200ms")),
            "a cold start by serverless": serverless(endpoint=slo("cold_start")),
            "milliseconds by warm workers": serverless(
                serverless_config={"provisioned_concurrency": 1}, endpoint=slo("milliseconds")
            ),
            "a cold start by a GPU, which serverless has not": real_time(
                variant={"instance_type": "ml.g5.xlarge"}, endpoint=slo("5s")
            ),
            "minutes by an asynchronous one": scaled(asynchronous(endpoint=slo("10 minutes")), least=0),
            "seconds by an asynchronous one that no policy takes to zero": scaled(
                asynchronous(endpoint=slo("5s")), least=0
            ),
        },
        "fail": {
            "milliseconds by serverless": serverless(endpoint=slo("200 ms")),
            "seconds by an asynchronous one at zero": following(
                scaled(asynchronous(endpoint=slo("2s")), least=0), **BACKLOG
            ),
            "a cold start by instances without an accelerator": real_time(endpoint=slo("5s")),
            "minutes by instances": real_time(endpoint=slo("minutes")),
            "minutes by instances known after apply": real_time(
                variant={"instance_type": UNKNOWN}, endpoint=slo("minutes")
            ),
            "a batch by an endpoint": serverless(endpoint=slo("batch")),
            "a day by an endpoint": serverless(endpoint=slo("24h")),
        },
        "unknown": {
            "an objective that nobody understands": real_time(endpoint=slo("fast")),
            "tags known after apply": real_time(endpoint={"tags": UNKNOWN, "tags_all": UNKNOWN}),
            "an objective known after apply": real_time(endpoint={"tags": {"latency_slo": UNKNOWN}}),
            "a cold start by instances known after apply": real_time(
                variant={"instance_type": UNKNOWN}, endpoint=slo("cold_start")
            ),
            "warm workers known after apply": serverless(
                serverless_config={"provisioned_concurrency": UNKNOWN}, endpoint=slo("200ms")
            ),
            "a least known after apply": following(scaled(asynchronous(endpoint=slo("5s")), UNKNOWN), **BACKLOG),
            "a kind known after apply": endpoint_of({"serverless_config": UNKNOWN}, endpoint=slo("200ms")),
        },
        "not_applicable": {
            "no objective": real_time(),
            "no tags, which the provider leaves open": real_time(endpoint={"tags_all": UNKNOWN}),
        },
    },
}
