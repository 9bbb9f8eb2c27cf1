"""Cases of rules/serving/shared_endpoints.py."""

from tests.rules.case_tables import CaseTable
from tests.rules.endpoints import (
    CONFIGURATION,
    ENDPOINT,
    IMAGE,
    MODEL,
    Resources,
    Values,
    build_real_time,
    build_serverless,
)

PACKAGE: Values = {"primary_container": {"model_package_name": "p"}}


def build_several(number: int, **options: Values) -> Resources:
    """Return several endpoints with one image."""
    resources: Resources = {}
    for n in range(number):
        endpoint = build_real_time(**options)
        resources |= {
            f"{MODEL}{n}": {**endpoint[MODEL], "name": f"m{n}"},
            f"{CONFIGURATION}{n}": {
                **endpoint[CONFIGURATION],
                "name": f"c{n}",
                "production_variants": {**endpoint[CONFIGURATION]["production_variants"], "model_name": f"m{n}"},
            },
            f"{ENDPOINT}{n}": {"name": f"e{n}", "endpoint_config_name": f"c{n}"},
        }
    return resources


CASES: CaseTable = {
    "SUS_MULTI_MODEL_ENDPOINT": {
        "pass": {
            "one": build_real_time(),
            "two": build_several(2),
            "two with images of model packages": build_several(2, model=PACKAGE),
        },
        "fail": {"three": build_several(3)},
        "unknown": {
            "model packages bring the images": build_several(3, model=PACKAGE),
            "a model elsewhere": {**build_several(2), **build_real_time(variant={"model_name": "made-elsewhere"})},
        },
        "not_applicable": {
            "a serverless endpoint": build_serverless(),
            "several models already": build_real_time(
                model={"primary_container": {"image": IMAGE, "mode": "MultiModel"}}
            ),
            "inference components": build_real_time(variant={"model_name": None}),
        },
    }
}
