import re

from sustainable_mlops.catalogue.quotas import QuotaUse, find_instance_quota, find_serverless_concurrency, load_quotas
from tests.cases import check_cases


def test_a_new_account_has_ten_concurrent_serverless_requests() -> None:
    quota = find_serverless_concurrency()
    assert (quota.service, quota.code, quota.default) == ("sagemaker", "L-96300102", 10)


@check_cases(
    ("instance_type", "use", "code", "name", "default"),
    [
        ("ml.c7g.large", "endpoint", "L-3F48ACC6", "ml.c7g.large for endpoint usage", 0),
        ("ml.m5.xlarge", "processing", "L-0307F515", "ml.m5.xlarge for processing job usage", 0),
        ("ml.c7i.large", "spot_training", "L-6C44F58D", "ml.c7i.large for spot training job usage", None),
        ("ml.p5.48xlarge", "training", "", "ml.p5.48xlarge for training job usage", None),
    ],
)
def test_a_type_has_a_quota_for_each_use(
    instance_type: str, use: QuotaUse, code: str, name: str, default: int | None
) -> None:
    quota = find_instance_quota(instance_type, use)
    assert (quota.code, quota.name, quota.default, quota.unit) == (code, name, default, "instances")


def test_codes_are_well_formed_and_unique() -> None:
    codes = [quota.code for quota in load_quotas().values() if quota.code]
    assert all(re.fullmatch(r"L-[0-9A-F]{8}", code) for code in codes)
    assert len(codes) == len(set(codes))
